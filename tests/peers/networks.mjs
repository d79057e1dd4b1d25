// The checking peers in one process, each on its own free loopback port: Mastodon, X, a form provider, Matomo, a partner's
// webhook, a sink, and passages to real servers.
//   node networks.mjs [--passage NAME=URL]... [--sink-delay MS]
// Prints one JSON line with addresses, tokens and webhook secrets (valid for this process only). The control address:
//   GET  /__peer/violations[?peer=P]   requests that broke a documented rule, with the rule
//   GET  /__peer/requests[?peer=P]     every request, in order of their answers
//   GET  /__peer/held                  requests that a fault holds
//   POST /__peer/release               lets them go on
//   POST /__peer/fail {"peer"?,"match","times"=1,"skip"=0, one of "status"+"headers"?+"body"? | "drop_before_receive":true |
//                      "drop_after_receive":true | "hold":"before"|"after"}      match: part of "METHOD /path label"
//   POST /__peer/forget                drops the faults that are left
//   POST /__peer/webhook {"peer","url"}                     where the peer sends its webhooks
//   POST /__peer/mastodon/reply {"to","text"}               a local account replies -> {"id","webhook_status"}
//   POST /__peer/x/mention {"text","username"?,"name"?}     -> {"id"}
//   POST /__peer/forms/submit {lead, "quiet"?: true}        quiet: no webhook, only in the list -> {"id",...}
//   POST /__peer/forms/deliver {"id","delivery_id"?}        sends the event of a submission again
//   GET  /__peer/matomo/hits   GET /__peer/mastodon/statuses   GET /__peer/partner/messages
import { parseArgs } from 'node:util'
import { ready } from './ready.mjs'
import { Journal, Refusal, serve } from './networks/server.mjs'
import { parseJson } from './networks/rules.mjs'
import { Mastodon } from './networks/mastodon.mjs'
import { X } from './networks/x.mjs'
import { Forms } from './networks/forms.mjs'
import { Matomo } from './networks/matomo.mjs'
import { Partner } from './networks/partner.mjs'
import { Passage, Sink } from './networks/through.mjs'

const { values: options } = parseArgs({ options: { passage: { type: 'string', multiple: true, default: [] }, 'sink-delay': { type: 'string', default: '0' } } })
const journal = new Journal()
const peers = { mastodon: new Mastodon(), x: new X(), forms: new Forms(), matomo: new Matomo(), partner: new Partner(), sink: new Sink(Number(options['sink-delay'])) }
const webhooks = new Map()

/// Of a JSON-RPC request, its method: faults of a passage may match it.
function rpcMethod({ raw }) {
  return /"method"\s*:\s*"([^"]+)"/.exec(raw.toString('utf8'))?.[1] ?? ''
}
for (const passage of options.passage) {
  const [, name, target] = /^([a-z_]+)=(.+)$/.exec(passage)
  peers[name] = new Passage(name, target.replace(/\/$/, ''), rpcMethod)
}

async function sendWebhook(peer, { webhook, ...facts }) {
  const url = webhooks.get(peer)
  if (!url) throw new Refusal(409, { error: `no webhook address was given for ${peer}` })
  const reply = await fetch(url, { method: 'POST', headers: webhook.headers, body: webhook.body, signal: AbortSignal.timeout(20_000) })
  await reply.arrayBuffer()
  return { status: 200, body: { ...facts, webhook_status: reply.status } }
}

const ok = (body) => ({ status: 200, body })
const ofPeer = (entries, request) => ok(entries.filter(({ peer }) => !request.query.has('peer') || peer === request.query.get('peer')))

const controls = {
  'GET /__peer/violations': (_, request) => ofPeer(journal.violations, request),
  'GET /__peer/requests': (_, request) => ofPeer(journal.requests, request),
  'GET /__peer/held': () => ok(journal.held.map(({ peer, line, stage }) => ({ peer, line, stage }))),
  'POST /__peer/release': () => ok({ released: [...journal.held].map(({ release }) => release()).length }),
  'POST /__peer/fail': (fault) => ok({ faults: journal.faults.push({ match: '', times: 1, ...fault }) }),
  'POST /__peer/forget': () => ok({ left: journal.faults.splice(0).filter(({ times }) => times > 0) }),
  'POST /__peer/webhook': ({ peer, url }) => { webhooks.set(peer, url); return ok({}) },
  'POST /__peer/mastodon/reply': ({ to, text }) => sendWebhook('mastodon', peers.mastodon.reply(to, text)),
  'GET /__peer/mastodon/statuses': () => ok(peers.mastodon.statuses.map((stored) => peers.mastodon.status(stored))),
  'POST /__peer/x/mention': ({ text, username, name }) => ok(peers.x.mention(text, username, name)),
  'POST /__peer/forms/submit': ({ quiet, ...lead }) => {
    const { external_id: id } = peers.forms.submit(lead)
    return quiet ? ok({ id }) : sendWebhook('forms', peers.forms.deliver(id))
  },
  'POST /__peer/forms/deliver': ({ id, delivery_id: delivery }) => sendWebhook('forms', peers.forms.deliver(id, delivery)),
  'GET /__peer/matomo/hits': () => ok(peers.matomo.hits),
  'GET /__peer/partner/messages': () => ok([...peers.partner.messages.values()]),
}

function control(request) {
  const act = controls[`${request.method} ${request.path}`]
  if (!act) throw new Refusal(404, { error: 'no such control' })
  return act(request.method === 'POST' && request.raw.length > 0 ? parseJson(request.raw) : {}, request)
}

const servers = []
const addresses = {}
for (const peer of Object.values(peers)) {
  const server = await serve(peer, journal)
  peer.url = server.url
  addresses[peer.name] = server.url
  servers.push(server)
}
const controlServer = await serve({ name: 'control', handle: control }, { takeFault: () => undefined, record: () => undefined })
ready({
  control: controlServer.url,
  ...addresses,
  tokens: { mastodon: peers.mastodon.token, x: peers.x.token, forms: peers.forms.token, matomo: peers.matomo.token },
  webhook_secrets: { mastodon: peers.mastodon.webhookSecret, forms: peers.forms.webhookSecret, partner: peers.partner.webhookSecret },
  ids: { mastodon_acme: peers.mastodon.acme, x_user: peers.x.userId, matomo_site: peers.matomo.siteId },
}, () => [...servers, controlServer].forEach((server) => server.close()))
