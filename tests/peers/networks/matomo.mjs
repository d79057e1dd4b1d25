// Matomo's Tracking HTTP API: matomo.php takes a hit by GET or POST, or many in one JSON body.
// Written from https://developer.matomo.org/api-reference/tracking-api, read 2026-11-24.
import crypto from 'node:crypto'
import { Refusal } from './server.mjs'
import { bodyPairs, findFault, parseJson, type } from './rules.mjs'

const hex16 = type.matching(/^[0-9a-f]{16}$/i, 'a 16 character hexadecimal string')
const number = type.matching(/^-?\d+(\.\d+)?$/, 'a number')
const flag = type.among('0', '1')
const TIME = /^(\d{10}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$/
const AUTHENTICATED = ['cip', 'country', 'region', 'city', 'lat', 'long']
const HIT = {
  idsite: { check: type.integer(1, 1_000_000), required: true },
  rec: { check: type.among('1'), required: true },
  action_name: { check: type.any },
  url: { check: type.url },
  _id: { check: hex16 },
  rand: { check: type.any },
  apiv: { check: type.among('1') },
  urlref: { check: type.url },
  res: { check: type.matching(/^\d+x\d+$/, 'a resolution such as 1280x1024') },
  h: { check: type.integer(0, 23) },
  m: { check: type.integer(0, 59) },
  s: { check: type.integer(0, 59) },
  cookie: { check: flag },
  ua: { check: type.any },
  uadata: { check: type.any },
  lang: { check: type.any },
  uid: { check: type.any },
  cid: { check: hex16 },
  new_visit: { check: flag },
  _cvar: { check: type.any },
  cvar: { check: type.any },
  _rcn: { check: type.any },
  _rck: { check: type.any },
  _ref: { check: type.url },
  _refts: { check: type.integer(0, 4_102_444_800) },
  link: { check: type.url },
  download: { check: type.url },
  search: { check: type.any },
  search_cat: { check: type.any },
  search_count: { check: type.integer(0, 1e9) },
  pv_id: { check: type.matching(/^[0-9a-zA-Z]{6}$/, 'six characters') },
  idgoal: { check: type.integer(0, 1e6) },
  revenue: { check: number },
  gt_ms: { check: type.integer(0, 1e9) },
  e_c: { check: type.any },
  e_a: { check: type.any },
  e_n: { check: type.any },
  e_v: { check: number },
  c_n: { check: type.any },
  c_p: { check: type.any },
  c_t: { check: type.any },
  c_i: { check: type.any },
  ca: { check: flag },
  ping: { check: flag },
  token_auth: { check: type.matching(/^[0-9a-f]{32}$/, 'the 32 character authorization key') },
  cip: { check: type.any },
  cdt: { check: type.matching(TIME, 'a UNIX timestamp or YYYY-MM-DD HH:MM:SS') },
  country: { check: type.matching(/^[a-z]{2}$/, 'a two letter country code') },
  region: { check: type.any },
  city: { check: type.any },
  lat: { check: number },
  long: { check: number },
  bots: { check: flag },
  send_image: { check: flag },
  queuedtracking: { check: flag },
}
for (let n = 1; n <= 20; n += 1) HIT[`dimension${n}`] = { check: type.any }

const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')

function cdtSeconds(text) {
  return /^\d+$/.test(text) ? Number(text) : Date.parse(`${text.replace(' ', 'T')}Z`) / 1000
}

export class Matomo {
  name = 'matomo'
  token = crypto.randomBytes(16).toString('hex')
  siteId = 1
  hits = []

  constructor(now = () => Date.now()) {
    this.now = now
    this.handle = (request) => this.answer(request)
  }

  async answer(request) {
    if (request.path !== '/matomo.php' || !['GET', 'POST'].includes(request.method)) {
      throw new Refusal(404, { status: 'error' }, `${request.method} ${request.path} is not the tracking endpoint`)
    }
    if (request.method === 'POST' && request.raw.subarray(0, 1).toString() === '{') return this.bulk(request)
    const body = request.method === 'POST' ? (await bodyPairs(request))[0] : []
    const hit = this.take([...request.query, ...body])
    return hit.send_image === '0' ? { status: 204 } : { status: 200, headers: { 'content-type': 'image/gif' }, body: GIF }
  }

  /// {"requests": ["?idsite=1&rec=1...", ...], "token_auth"}; token_auth may stand for all of them.
  bulk(request) {
    const { requests, token_auth: token, ...rest } = parseJson(request.raw)
    if (!Array.isArray(requests) || Object.keys(rest).some((name) => name !== 'send_image')) {
      throw new Refusal(400, { status: 'error', tracked: 0 }, 'bulk tracking: requests is a list, token_auth may stand beside it')
    }
    for (const query of requests) this.take([...new URLSearchParams(query.replace(/^\?/, '')), ...(token ? [['token_auth', token]] : [])])
    return { status: 200, body: { status: 'success', tracked: requests.length, invalid: 0 } }
  }

  take(pairs) {
    const refuse = (rule) => new Refusal(400, { status: 'error', message: rule }, rule)
    const fault = findFault(pairs, HIT)
    if (fault) throw refuse(fault.problem)
    const hit = Object.fromEntries(pairs)
    if (hit.idsite !== String(this.siteId)) throw refuse(`idsite ${hit.idsite} is not a site of ours`)
    if (hit.token_auth !== undefined && hit.token_auth !== this.token) throw new Refusal(401, { status: 'error' }, 'token_auth is not valid')
    if (Boolean(hit.e_c) !== Boolean(hit.e_a)) throw refuse('an event needs both e_c and e_a')
    if (hit.link && hit.url !== hit.link) throw refuse('a clicked link must also be set in url')
    if (!hit.token_auth && AUTHENTICATED.some((name) => name in hit)) throw refuse(`${AUTHENTICATED.find((name) => name in hit)} requires token_auth`)
    if (!hit.token_auth && hit.cdt && this.now() / 1000 - cdtSeconds(hit.cdt) > 86_400) throw refuse('cdt older than 24 hours requires token_auth')
    this.hits.push(hit)
    return hit
  }
}
