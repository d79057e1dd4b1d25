// 6. One rule holds a post until another person releases it, another forbids one outright.
import { eventually, holds, House, same } from '../clients.mjs'
import { deliveredPost } from './publish.mjs'

export const title = '6. Policy holds and forbids'

const HELD = 'Jusqu’à -50 % garanti sur toute la collection'
const FORBIDDEN = 'Payez avec la carte 4111 1111 1111 1111'

export async function run(job) {
  const { company, peers, say } = job
  const [marie, paul] = [new House(company, 'marie'), new House(company, 'paul')]
  const post = (text) => ({ post: { text, language: 'fr', created_at: new Date().toISOString() }, targets: ['masto-acme'] })
  const onServer = async (text) => (await peers.get('mastodon/statuses')).filter(({ content }) => content.includes(text)).length

  const { id } = await marie.expect(201, 'POST', '/posts', post(HELD))
  const held = await eventually('the post is held', async (see) => {
    const { targets } = see(await marie.expect(200, 'GET', `/posts/${id}`))
    return targets[0].state === 'held' && targets[0]
  })
  holds('the hold names its rule', held.rule, held)
  say(`marie's post "${HELD}" is held by rule ${held.rule}: ${held.reason}`)

  const own = await marie.request('POST', `/posts/${id}/approve`, { comment: 'moi-même' })
  same('the status when the author releases her own post', own.status, 403)
  same('the code of that refusal', own.body.code, 'approval.forbidden')
  holds('the refusal names the rule of four eyes', /release\.own/.test(own.body.detail), own.body)
  same('statuses with that text so far', await onServer('garanti'), 0)
  await paul.expect(200, 'POST', `/posts/${id}/approve`, { comment: 'Prix vérifiés' })
  await deliveredPost(marie, id)
  same('statuses with that text', await onServer('garanti'), 1)
  say('her own release was refused (release.own); paul released it, and it went out')

  const { id: second } = await marie.expect(201, 'POST', '/posts', post(FORBIDDEN))
  const [target] = (await marie.expect(200, 'GET', `/posts/${second}`)).targets
  same('the state of a post with a card number', target.state, 'forbidden')
  holds('the refusal names its rule', target.rule, target)
  const released = await paul.request('POST', `/posts/${second}/approve`, {})
  holds('what is forbidden cannot be released', released.status >= 400, released)
  same('statuses with a card number', await onServer('4111'), 0)
  say(`a post with a card number is forbidden by rule ${target.rule}`)
}
