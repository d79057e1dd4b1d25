// 2. A reply on each network comes in, by notification and by signed webhook, and joins the conversation of the post.
import { eventually, holds, House, knock, same } from '../clients.mjs'

export const title = '2. Replies come in and join the post'

export async function run(job) {
  const { company, lea, acme, peers, post } = job
  const root = await rootOf(acme, post.targets['bsky-acme'].remote_id)
  const greeting = `@${acme.handle} magnifique, quand ouvre la boutique ?`
  const reply = await lea.write({
    text: greeting,
    langs: ['fr'],
    reply: { root, parent: root },
    facets: [{ index: { byteStart: 0, byteEnd: Buffer.byteLength(`@${acme.handle}`) }, features: [{ $type: 'app.bsky.richtext.facet#mention', did: acme.did }] }],
  })
  job.say(`lea answers on the AT Protocol network: "${greeting}"`)
  await joined(job, 'bsky-acme', { root: root.uri, id: reply.uri, text: greeting })

  const bravo = '@acme bravo, je passe samedi'
  const { id, webhook_status: status } = await peers.post('mastodon/reply', { to: post.targets['masto-acme'].remote_id, text: bravo })
  holds('the signed webhook is taken', status >= 200 && status < 300, status)
  job.say(`claire answers on the Mastodon server, whose webhook tells of it: "${bravo}"`)
  await joined(job, 'masto-acme', { root: post.targets['masto-acme'].remote_id, id, text: bravo })

  const forged = await knock(company, 'masto-acme', { event: 'status.created', created_at: new Date().toISOString(), object: {} }, { 'x-hub-signature': `sha256=${'0'.repeat(64)}` })
  same('the answer to a webhook with a wrong signature', forged.status, 401)
}

async function rootOf(acme, uri) {
  const record = (await acme.posts()).find((one) => one.uri === uri)
  return { uri: record.uri, cid: record.cid }
}

/// One conversation of this connection, begun by our post, with the reply in it once.
async function joined(job, connection, { root, id, text }) {
  const paul = new House(job.company, 'paul')
  const conversation = await eventually(`the reply appears in the conversation of ${connection}`, async (see) => {
    const { items } = see(await paul.expect(200, 'GET', `/conversations?connection=${connection}`))
    return items.find((one) => one.messages.some((message) => message.id === id))
  })
  same('the first message of the conversation', conversation.root, root)
  same('how often the reply stands there', conversation.messages.filter((message) => message.id === id).length, 1)
  same('its text', conversation.messages.find((message) => message.id === id).text.trim(), text)
  const { items } = await paul.expect(200, 'GET', `/conversations?connection=${connection}`)
  same(`the number of conversations of ${connection} about this post`, items.filter((one) => one.root === root).length, 1)
  job.say(`it is in the conversation of our post on ${connection}`)
}
