// 4. A mention from X, whose terms lack the purpose "crm", is refused for the CRM by name, and still reaches people.
import { eventually, holds, House, same } from '../clients.mjs'

export const title = '4. A mention that must not reach the CRM'

export async function run(job) {
  const { company, peers, crm } = job
  const text = '@acme livrez-vous à Lille ?'
  const { id } = await peers.post('x/mention', { text, username: 'paul_martin', name: 'Paul Martin' })
  const paul = new House(company, 'paul')
  await eventually('the mention appears in a conversation', async (see) => {
    const { items } = see(await paul.expect(200, 'GET', '/conversations?connection=x-acme'))
    return items.find((one) => one.messages.some((message) => message.id === id && message.text === text))
  })
  job.say(`a mention from X reached engagement: "${text}"`)
  const decision = await eventually('its way to the CRM was refused', async (see) => {
    const { items } = see(await paul.expect(200, 'GET', '/decisions?effect=forbid'))
    return items.find(({ connection }) => connection === 'crm')
  })
  holds('the decision names its rule', decision.rule && decision.version !== undefined, decision)
  holds('and the purpose that is missing', /crm/.test(`${decision.rule} ${decision.reason}`), decision)
  const parties = await crm.search('party.party', [['name', 'in', ['Paul Martin', 'paul_martin']]], ['name'])
  same('parties of that name in the CRM', parties, [])
  job.say(`for the CRM it was refused by rule ${decision.rule} (${decision.pack} ${decision.version}): ${decision.reason}`)
}
