// The checking peers judge our adapters, so they are judged too: each accepted request has a refused neighbour here.
//   node --test tests/peers/networks_test.mjs        (PEER_MODULES as ./dev sets it)
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import crypto from 'node:crypto'
import http from 'node:http'
import readline from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { require } from './ready.mjs'
import { countedCharacters } from './networks/mastodon.mjs'

let peers, child, inbox
const received = []

async function call(base, method, route, { body, token, headers = {} } = {}) {
  const reply = await fetch(base + route, {
    method,
    headers: { ...(body && !(body instanceof FormData) ? { 'content-type': 'application/json' } : {}), ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
    body: body instanceof FormData ? body : body && JSON.stringify(body),
  })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, body: reply.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text }
}
const control = (method, route, body) => call(peers.control, method, `/__peer/${route}`, { body })
const mastodon = (method, route, options) => call(peers.mastodon, method, route, { token: peers.tokens.mastodon, ...options })
const x = (query, token = peers.tokens.x) => call(peers.x, 'GET', `/2/users/${peers.ids.x_user}/mentions${query}`, { token })
const hit = (query) => call(peers.matomo, 'GET', `/matomo.php?${query}`)

before(async () => {
  child = spawn(process.execPath, [fileURLToPath(new URL('networks.mjs', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] })
  peers = JSON.parse(await new Promise((resolve) => readline.createInterface({ input: child.stdout }).once('line', resolve)))
  inbox = http.createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    received.push({ headers: request.headers, raw: Buffer.concat(chunks) })
    response.writeHead(204).end()
  })
  await new Promise((resolve) => inbox.listen(0, '127.0.0.1', resolve))
  for (const peer of ['mastodon', 'forms']) await control('POST', 'webhook', { peer, url: `http://127.0.0.1:${inbox.address().port}/` })
})

after(() => {
  child.kill()
  inbox.close()
})

async function upload(mime) {
  const form = new FormData()
  form.append('file', new Blob([Buffer.from('picture')], { type: mime }), 'picture.png')
  form.append('description', 'tulips')
  return mastodon('POST', '/api/v2/media', { body: form })
}

test('Mastodon: media is attached only once it is processed', async () => {
  const { status, body } = await upload('image/png')
  assert.equal(status, 202)
  assert.equal(body.url, null)
  const early = await mastodon('POST', '/api/v1/statuses', { body: { status: 'early', media_ids: [body.id] } })
  assert.equal(early.status, 422)
  assert.equal((await mastodon('GET', `/api/v1/media/${body.id}`)).status, 206)
  assert.equal((await mastodon('GET', `/api/v1/media/${body.id}`)).status, 200)
  assert.equal((await mastodon('POST', '/api/v1/statuses', { body: { status: 'now', media_ids: [body.id] } })).status, 200)
  assert.equal((await upload('application/pdf')).status, 422)
})

test('Mastodon: the same idempotency key gives the same status, another key another', async () => {
  const post = (key) => mastodon('POST', '/api/v1/statuses', { body: { status: 'once' }, headers: { 'idempotency-key': key } })
  const [first, again, other] = [await post('a'), await post('a'), await post('b')]
  assert.equal(again.body.id, first.body.id)
  assert.notEqual(other.body.id, first.body.id)
})

test('Mastodon: 500 characters are accepted and 501 are not; a URL counts 23, of a mention the local part', async () => {
  assert.equal((await mastodon('POST', '/api/v1/statuses', { body: { status: 'é'.repeat(500) } })).status, 200)
  assert.equal((await mastodon('POST', '/api/v1/statuses', { body: { status: 'é'.repeat(501) } })).status, 422)
  assert.equal(countedCharacters(`a https://example.org/${'x'.repeat(300)} @bo@far.example`), 2 + 23 + 1 + 3)
})

test('Mastodon: what is not documented is refused and kept as a breach', async () => {
  const before = (await control('GET', 'violations?peer=mastodon')).body.length
  assert.equal((await mastodon('POST', '/api/v1/statuses', { body: { status: 'x', visibility: 'everyone' } })).status, 422)
  assert.equal((await mastodon('GET', '/api/v1/notifications?limit=81')).status, 422)
  assert.equal((await mastodon('GET', '/api/v1/notifications', { token: 'wrong' })).status, 401)
  assert.equal((await mastodon('PUT', '/api/v1/notifications')).status, 404)
  const after = (await control('GET', 'violations?peer=mastodon')).body
  assert.equal(after.length, before + 4)
  assert.match(after.at(-2).rule, /Bearer/)
})

test('Mastodon: a reply is a notification, a page of a list, and a webhook whose signature covers the raw body', async () => {
  const { body: ours } = await mastodon('POST', '/api/v1/statuses', { body: { status: 'hello' } })
  const { body: reply } = await control('POST', 'mastodon/reply', { to: ours.id, text: '@acme hi' })
  const { headers, raw } = received.at(-1)
  assert.equal(headers['x-hub-signature'], `sha256=${crypto.createHmac('sha256', peers.webhook_secrets.mastodon).update(raw).digest('hex')}`)
  assert.equal(JSON.parse(raw).object.in_reply_to_id, ours.id)
  const page = await mastodon('GET', '/api/v1/notifications?types[]=mention&limit=1')
  assert.equal(page.body[0].status.id, reply.id)
  const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link'))[1]
  assert.deepEqual((await mastodon('GET', next.slice(peers.mastodon.length))).body, [])
  assert.deepEqual((await mastodon('GET', `/api/v1/notifications?since_id=${page.body[0].id}`)).body, [])
})

test('X: mentions come newest first, page by page, and since_id excludes what was seen', async () => {
  const ids = []
  for (let n = 0; n < 7; n += 1) ids.push((await control('POST', 'x/mention', { text: `@acme ${n}` })).body.id)
  const first = await x('?max_results=5&expansions=author_id&tweet.fields=author_id&user.fields=username')
  assert.deepEqual(first.body.data.map(({ id }) => id), ids.slice(2).reverse())
  assert.equal(first.body.includes.users.length, 1)
  assert.ok(Number(first.headers.get('x-rate-limit-reset')) > Date.now() / 1000)
  const second = await x(`?max_results=5&pagination_token=${first.body.meta.next_token}`)
  assert.deepEqual(second.body.data.map(({ id }) => id), ids.slice(0, 2).reverse())
  assert.deepEqual((await x(`?since_id=${ids.at(-1)}`)).body, { meta: { result_count: 0 } })
  assert.equal((await x('?max_results=4')).status, 400)
  assert.equal((await x('?count=5')).status, 400)
  assert.equal((await x('', 'wrong')).status, 401)
})

test('Forms: the webhook verifies with the library of Standard Webhooks, and the list goes on from its cursor', async () => {
  const { body } = await control('POST', 'forms/submit', { person: { name: 'Ada' } })
  const { headers, raw } = received.at(-1)
  const verifier = new (require('standardwebhooks').Webhook)(peers.webhook_secrets.forms)
  assert.equal(verifier.verify(raw.toString(), headers).data.external_id, body.id)
  assert.throws(() => verifier.verify(`${raw} `, headers))
  const list = (query) => call(peers.forms, 'GET', `/v1/submissions${query}`, { token: peers.tokens.forms })
  const all = await list('')
  assert.equal(all.body.data.at(-1).external_id, body.id)
  assert.deepEqual((await list(`?cursor=${all.body.next_cursor}`)).body, { data: [], next_cursor: all.body.next_cursor })
  assert.equal((await list('?page=2')).status, 400)
})

test('Matomo: a hit needs its site and rec=1, a clicked link its url, an old time its key', async () => {
  const url = encodeURIComponent('https://a.example/')
  assert.equal((await hit(`idsite=1&rec=1&url=${url}&link=${url}&send_image=0`)).status, 204)
  assert.equal((await hit(`idsite=1&rec=1&url=${url}`)).status, 200)
  for (const wrong of ['idsite=1', `idsite=2&rec=1&url=${url}`, 'idsite=1&rec=1&_id=12', `idsite=1&rec=1&link=${url}`, 'idsite=1&rec=1&cdt=1600000000']) {
    assert.equal((await hit(wrong)).status, 400, wrong)
  }
  assert.equal((await hit(`idsite=1&rec=1&cdt=1600000000&token_auth=${peers.tokens.matomo}`)).status, 200)
})

test('A scripted fault is used up; a held request goes on when it is released', async () => {
  const post = () => call(peers.sink, 'POST', '/in')
  await control('POST', 'fail', { peer: 'sink', match: 'POST', status: 503, skip: 1 })
  assert.deepEqual([(await post()).status, (await post()).status, (await post()).status], [204, 503, 204])
  await control('POST', 'fail', { peer: 'sink', match: 'POST', drop_after_receive: true })
  await assert.rejects(post())
  await control('POST', 'fail', { peer: 'sink', match: 'POST', hold: 'after' })
  const held = post()
  while ((await control('GET', 'held')).body.length === 0);
  await control('POST', 'release')
  assert.equal((await held).status, 204)
})
