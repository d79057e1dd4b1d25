// 3, to a partner. The leads also go out through an adapter that is a program; while it is away, its connection waits for it.
import fs from 'node:fs'
import path from 'node:path'
import { eventually, holds, isthmus, isthmusAlone, same } from '../clients.mjs'
import { leadOf } from './lead.mjs'

export const title = '3, to a partner: an adapter that is a program'

const PROGRAM = 'webhook-python'

export async function run(job) {
  const { company, peers, say } = job
  const golden = await isthmusAlone(company, 'adapter', 'test', path.join(company.top, 'adapters/examples', PROGRAM), '--sockets', company.adapter_sockets)
  holds('the program passes its golden examples', /^ok /m.test(golden), golden)
  say(`the program behind ${PROGRAM}.sock passes the golden examples of the descriptor "webhook"`)

  const first = await peers.post('forms/submit', leadOf('Rose Petit', 'rose@fleurs.example'))
  await delivered(job, first.id)
  say(`lead ${first.id} reached the partner, signed by the daemon, worded by the program`)

  await killed(company)
  await state(company, 'away')
  const late = await peers.post('forms/submit', leadOf('Paul Roux', 'roux@fleurs.example'))
  await eventually('the lead waits for the program', async (see) => see(await waiting(company)) > 0)
  say('the program was killed: the next lead waits, and the daemon says why')
  fs.rmSync(path.join(company.work, 'program-stopped'))
  await state(company, 'up')
  await delivered(job, late.id)
  say('systemd-socket-activate holds the socket again: the lead went out, without a restart of the daemon')
}

/// Exactly one message of this lead, whatever was tried in between.
async function delivered({ peers }, id) {
  const of = (messages) => messages.filter(({ type, data }) => type === 'lead.created' && data.external_id === id)
  await eventually(`the partner has lead ${id}`, async (see) => of(see(await peers.get('partner/messages'))).length > 0, 60)
  same(`messages of lead ${id} at the partner`, of(await peers.get('partner/messages')).length, 1)
}

/// The program's supervisor (tools/dev/run.sh) leaves it down as long as this file is there.
async function killed(company) {
  fs.writeFileSync(path.join(company.work, 'program-stopped'), '')
  process.kill(Number(fs.readFileSync(path.join(company.work, 'program.pid'), 'utf8')), 'SIGKILL')
}

async function state(company, wanted) {
  await eventually(`\`isthmus status\` says that the program is ${wanted}`, async (see) => {
    const { programs } = see(JSON.parse(await isthmus(company, 'status', '--json')))
    return programs.find(({ adapter }) => adapter === PROGRAM)?.state === wanted
  }, 60)
}

async function waiting(company) {
  const { commands } = JSON.parse(await isthmus(company, 'books', '--json'))
  return commands.in_flight + commands.waiting
}
