// What the main job talks with: the daemon's house door, its command line, the peers; and waiting with a deadline.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { Tryton } from '../tests/peers/tryton_client.mjs'

const execute = promisify(execFile)

export class Failure extends Error {}

/// Stops the step with both values when they differ.
export function same(what, found, wanted) {
  if (!isDeepStrictEqual(found, wanted)) throw new Failure(`${what}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`)
}

export function holds(what, condition, seen) {
  if (!condition) throw new Failure(`${what}; seen: ${JSON.stringify(seen)?.slice(0, 2000)}`)
}

/// Asks until the answer is truthy; after the deadline it says what was asked for and what was seen last.
export async function eventually(what, ask, seconds = 30) {
  const deadline = Date.now() + seconds * 1000
  let seen
  for (;;) {
    try {
      const answer = await ask((value) => { seen = value; return value })
      if (answer) return answer
    } catch (error) {
      if (error instanceof Failure) throw error
      seen = error.message
    }
    if (Date.now() > deadline) throw new Failure(`${what}: not within ${seconds} s; last seen: ${JSON.stringify(seen)?.slice(0, 2000)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function call(base, method, route, { body, headers = {} } = {}) {
  const raw = body instanceof Uint8Array
  const reply = await fetch(base + route, {
    method,
    headers: { ...(body && !raw ? { 'content-type': 'application/json' } : {}), ...headers },
    body: raw ? body : body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await reply.text()
  return { status: reply.status, body: /json/.test(reply.headers.get('content-type') ?? '') ? JSON.parse(text) : text }
}

/// The daemon's house door as one person.
export class House {
  constructor(company, person) {
    Object.assign(this, { base: company.house, key: company.people[person].key })
  }

  async request(method, route, body, headers = {}) {
    return call(this.base, method, `/api/v1${route}`, { body, headers: { authorization: `Bearer ${this.key}`, ...headers } })
  }

  async expect(status, method, route, body, headers) {
    const reply = await this.request(method, route, body, headers)
    same(`${method} ${route} answered ${JSON.stringify(reply.body).slice(0, 1000)}; its status`, reply.status, status)
    return reply.body
  }
}

/// `isthmus ...` on the daemon's control socket; throws with what it printed.
export function isthmus(company, ...args) {
  return isthmusAlone(company, '--socket', company.control_socket, ...args)
}

/// `isthmus ...` of the verbs that need no daemon.
export async function isthmusAlone(company, ...args) {
  const { stdout } = await execute(path.join(company.bin, 'isthmus'), args, { maxBuffer: 1 << 26 })
  return stdout
}

/// `isthmus-verify BAG --key FILE` -> { status, output }
export async function verifyBag(company, bag, keyFile) {
  try {
    const { stdout, stderr } = await execute(path.join(company.bin, 'isthmus-verify'), [bag, '--key', keyFile], { maxBuffer: 1 << 26 })
    return { status: 0, output: stdout + stderr }
  } catch (error) {
    if (typeof error.code !== 'number') throw error
    return { status: error.code, output: error.stdout + error.stderr }
  }
}

/// The control address of the checking peers.
export class Peers {
  constructor(company) {
    this.base = company.peers.networks.control
  }

  async get(route) {
    return (await call(this.base, 'GET', `/__peer/${route}`)).body
  }

  async post(route, body = {}) {
    const reply = await call(this.base, 'POST', `/__peer/${route}`, { body })
    same(`the peers' ${route} answered ${JSON.stringify(reply.body)}; its status`, reply.status, 200)
    return reply.body
  }
}

/// An account of the AT Protocol network, through its PDS, and public reading through the AppView.
export class Bluesky {
  constructor(company, account) {
    Object.assign(this, company.accounts[account], { pds: company.peers.atproto.pds, appview: company.peers.atproto.appview })
  }

  async xrpc(base, method, params) {
    const reply = await call(base, 'GET', `/xrpc/${method}?${new URLSearchParams(params)}`)
    holds(`${method} answers 200`, reply.status === 200, reply)
    return reply.body
  }

  async posts() {
    const { records } = await this.xrpc(this.pds, 'com.atproto.repo.listRecords', { repo: this.did, collection: 'app.bsky.feed.post', limit: '100' })
    return records
  }

  async write(record) {
    const reply = await call(this.pds, 'POST', '/xrpc/com.atproto.repo.createRecord', {
      headers: { authorization: `Bearer ${this.token}` },
      body: { repo: this.did, collection: 'app.bsky.feed.post', record: { $type: 'app.bsky.feed.post', createdAt: new Date().toISOString(), ...record } },
    })
    holds('createRecord answers 200', reply.status === 200, reply)
    return reply.body
  }

  async blob(cid) {
    const reply = await fetch(`${this.pds}/xrpc/com.atproto.sync.getBlob?${new URLSearchParams({ did: this.did, cid })}`)
    return Buffer.from(await reply.arrayBuffer())
  }
}

export async function openCrm({ peers: { crm } }) {
  return new Tryton({ ...crm, password: fs.readFileSync(crm.password_file, 'utf8') }).login()
}

/// A post to the public door as anybody could send it.
export function knock(company, name, body, headers) {
  return call(company.public, 'POST', `/in/${name}`, { body, headers })
}

export async function daemonIsReady(company) {
  return (await call(company.house, 'GET', '/readyz')).status === 200
}
