// 5. A click goes to the analytics system.
import { eventually, holds, House, same } from '../clients.mjs'

export const title = '5. A click reaches analytics'

export async function run({ company, peers, say }) {
  const url = 'https://www.acme.example/printemps?utm_source=social'
  const marie = new House(company, 'marie')
  const { command } = await marie.expect(202, 'POST', '/tracks', {
    connection: 'web',
    metric: { action: 'click', url, campaign: 'printemps', visitor: '0123456789abcdef', occurred_at: new Date().toISOString() },
  })
  holds('the command has an id', command, command)
  const hits = await eventually('Matomo has a hit', async (see) => {
    const seen = see(await peers.get('matomo/hits'))
    return seen.length > 0 && seen
  })
  same('the number of hits', hits.length, 1)
  holds('the hit has the address', hits[0].url === url, hits[0])
  holds('and the visitor', [hits[0]._id, hits[0].cid].includes('0123456789abcdef'), hits[0])
  say(`Matomo's tracking API took the click on ${url}`)
}
