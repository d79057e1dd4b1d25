// 1. A person's post, with a link and an image, reaches a real AT Protocol network and a Mastodon server, once each.
import { eventually, holds, House, same } from '../clients.mjs'
import { picture } from '../picture.mjs'

export const title = '1. A post goes out to two networks'

const LINK = 'https://www.acme.example/printemps?utm_source=social'
const TEXT = `Notre collection de printemps est là 🌷 ${LINK}`

export async function run(job) {
  const marie = new House(job.company, 'marie')
  const image = picture()
  const uploaded = await uploadImage(marie, image)
  const post = {
    text: TEXT,
    language: 'fr',
    link: { url: LINK, title: 'Collection de printemps', description: 'Les nouveautés' },
    media: [{ blob: uploaded.blob, mime: 'image/png', bytes: image.length, alt: 'Des tulipes rouges' }],
    created_at: new Date().toISOString(),
  }
  const request = { post, targets: ['bsky-acme', 'masto-acme'] }
  const key = { 'idempotency-key': 'printemps-1' }
  const { id } = await marie.expect(201, 'POST', '/posts', request, key)
  job.say(`marie posts "${TEXT}" with an image`)

  job.post = await deliveredPost(marie, id)
  const again = await marie.expect(201, 'POST', '/posts', request, key)
  same('the id that a repeated request gets', again.id, id)

  await onBluesky(job, image)
  await onMastodon(job, image)
}

async function uploadImage(person, image) {
  const reply = await person.expect(201, 'POST', '/media', image, { 'content-type': 'image/png' })
  same('the size of the uploaded image', reply.bytes, image.length)
  return reply
}

export async function deliveredPost(person, id) {
  const targets = await eventually('every target of the post is delivered', async (see) => {
    const post = see(await person.expect(200, 'GET', `/posts/${id}`))
    holds('no target failed', !post.targets.some(({ state }) => ['dead', 'rejected', 'forbidden'].includes(state)), post.targets)
    return post.targets.every(({ state }) => state === 'delivered') && post.targets
  }, 60)
  return { id, targets: Object.fromEntries(targets.map((target) => [target.connection, target])) }
}

async function onBluesky({ say, acme, post }, image) {
  const records = await acme.posts()
  same('the number of posts in the account on the PDS', records.length, 1)
  const [{ uri, value }] = records
  same('the remote id that Isthmus keeps', post.targets['bsky-acme'].remote_id, uri)
  same('the text on the PDS', value.text, TEXT)
  const link = value.facets?.flatMap(({ features, index }) => features.map(({ uri: target }) => ({ target, index }))).find(({ target }) => target === LINK)
  holds('the link is a facet', link, value.facets)
  const bytes = Buffer.from(value.text)
  same('the bytes that the link covers', bytes.subarray(link.index.byteStart, link.index.byteEnd).toString(), LINK)
  const shown = value.embed?.images?.[0]
  holds('the image is embedded with its text', shown?.alt === 'Des tulipes rouges', value.embed)
  holds('the image has the same bytes', image.equals(await acme.blob(shown.image.ref.$link)), shown)
  await eventually('the AppView shows the post', async (see) => see(await acme.xrpc(acme.appview, 'app.bsky.feed.getPosts', { uris: uri })).posts.length === 1)
  say(`on the AT Protocol network, read from its PDS and its AppView: ${uri}`)
}

async function onMastodon({ say, peers, post, company }, image) {
  const statuses = await peers.get('mastodon/statuses')
  same('the number of statuses on the Mastodon server', statuses.length, 1)
  const [status] = statuses
  same('the remote id that Isthmus keeps', post.targets['masto-acme'].remote_id, status.id)
  holds('the link is in the text', status.content.includes('https://www.acme.example/printemps?utm_source=social'), status.content)
  same('the text of the image', status.media_attachments.map(({ description }) => description), ['Des tulipes rouges'])
  holds('the author is the company', status.account.id === company.peers.networks.ids.mastodon_acme, status.account)
  say(`on the Mastodon server, with its image of ${image.length} bytes: ${status.url}`)
}
