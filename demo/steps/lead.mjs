// 3. A form's lead becomes one party and one opportunity in the CRM, whatever is repeated and whenever we are killed.
import { eventually, holds, isthmus, knock, same } from '../clients.mjs'

export const title = '3. A lead reaches the CRM once'

const CONSENT = 'Oui, ACME peut me recontacter au sujet de ma demande.'

export function leadOf(name, email) {
  const [first, last] = name.split(' ')
  const now = new Date().toISOString()
  return {
    person: { name, first, last, email, phone: '+33 1 23 45 67 89', company: 'Fleurs du Nord' },
    message: 'Je voudrais un devis pour 200 bouquets.',
    campaign: 'printemps',
    consent: { given: true, wording: CONSENT, at: now, channel: 'form', purposes: ['crm', 'marketing'] },
    opt_out: false,
  }
}

export async function run(job) {
  const { company, peers } = job
  const { id, delivery_id: delivery, webhook_status: status } = await peers.post('forms/submit', leadOf('Ada Lemaire', 'ada@fleurs.example'))
  holds('the signed event is taken', status >= 200 && status < 300, status)
  job.say(`the form's provider sends the event of submission ${id}, signed as Standard Webhooks has it`)
  const lead = await inCrm(job, id)
  await complete(job, lead, id)

  same('the same delivery again', (await peers.post('forms/deliver', { id, delivery_id: delivery })).webhook_status, status)
  holds('the same event in a new delivery', (await peers.post('forms/deliver', { id })).webhook_status < 300, id)
  await polledOnceMore(peers)
  await settled(company)
  await once(job, id)
  job.say('sent twice more, and polled from the list of submissions: still one party and one opportunity')

  const late = await peers.post('forms/submit', { ...leadOf('Jean Moreau', 'jean@fleurs.example'), quiet: true })
  await inCrm(job, late.id)
  job.say(`a submission without any webhook (${late.id}) came by polling alone`)

  const forged = await knock(company, 'forms', { type: 'lead.created', data: {} }, { 'webhook-id': 'msg_x', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)), 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` })
  same('the answer to a webhook with a wrong signature', forged.status, 401)
}

function opportunities({ crm, company }, id) {
  return crm.search('sale.opportunity', [['reference', 'like', `%${id}%`]], ['reference', 'description', 'comment', 'state', 'party'], { company: company.peers.crm.company })
}

export async function inCrm(job, id, seconds = 60) {
  const found = await eventually(`an opportunity for ${id} in the CRM`, async (see) => {
    const rows = see(await opportunities(job, id))
    return rows.length > 0 && rows
  }, seconds)
  return found[0]
}

async function complete({ crm, say }, lead, id) {
  const [party] = await crm.search('party.party', [['id', '=', lead.party]], ['name', 'code', 'contact_mechanisms'])
  same("the party's name", party.name, 'Ada Lemaire')
  const mechanisms = await crm.search('party.contact_mechanism', [['party', '=', lead.party]], ['type', 'value'])
  holds('the party has the e-mail address', mechanisms.some(({ type, value }) => type === 'email' && value === 'ada@fleurs.example'), mechanisms)
  const evidence = `${lead.comment ?? ''} ${lead.description ?? ''}`
  holds("the consent's wording stands beside the lead", evidence.includes(CONSENT), lead)
  say(`the CRM has the party ${party.name} (${party.code}), and opportunity ${id} in state "${lead.state}" with the wording consented to`)
}

async function polledOnceMore(peers) {
  const polls = async () => (await peers.get('requests?peer=forms')).filter(({ method, status }) => method === 'GET' && status === 200).length
  const before = await polls()
  await eventually("the form's list was polled twice more", async (see) => see(await polls()) >= before + 2)
}

/// Nothing is in flight any more, by the daemon's own books.
export async function settled(company, seconds = 60) {
  await eventually('nothing is in flight', (see) => atRest(company, see), seconds)
}

export async function atRest(company, see = (books) => books) {
  const { commands, calls } = see(JSON.parse(await isthmus(company, 'books', '--json')))
  return commands.in_flight === 0 && commands.waiting === 0 && calls.unread === 0
}

export async function once(job, id) {
  const rows = await opportunities(job, id)
  same(`the number of opportunities for ${id}`, rows.length, 1)
  const parties = await job.crm.search('party.party', [['id', '=', rows[0].party]], ['name', 'contact_mechanisms'])
  const namesakes = await job.crm.search('party.party', [['name', '=', parties[0].name]], ['name'])
  same(`the number of parties called ${parties[0].name}`, namesakes.length, 1)
  const emails = await job.crm.search('party.contact_mechanism', [['party', '=', rows[0].party], ['type', '=', 'email']], ['value'])
  same('the number of e-mail addresses of the party', emails.length, 1)
}
