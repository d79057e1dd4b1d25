// 3, worse: the daemon is killed with SIGKILL at each request of a lead's delivery, once before the CRM gets the request
// and once after the CRM did what was asked; after its restart there is one party and one opportunity.
//
// The passage before the CRM holds the Nth request, N from 1 until a delivery has no Nth.
import fs from 'node:fs'
import { daemonIsReady, eventually, Failure } from '../clients.mjs'
import { atRest, inCrm, leadOf, once, settled } from './lead.mjs'

export const title = '3, killed: SIGKILL at each step of the delivery'

const REQUESTS_MAX = 20

export async function run(job) {
  const { peers } = job
  let kills = 0
  for (const stage of ['before', 'after']) {
    for (let n = 0; ; n += 1) {
      if (n > REQUESTS_MAX) throw new Failure(`the delivery of one lead takes more than ${REQUESTS_MAX} requests`)
      const held = await killedAt(job, stage, n)
      await peers.post('forget')
      if (!held) break
      kills += 1
      job.say(`killed ${stage} the CRM had ${held}: one party, one opportunity`)
    }
  }
  if (kills < 4) throw new Failure(`only ${kills} requests of a delivery were seen`)
}

/// @return the request at which the daemon was killed; undefined when the delivery had no such request
async function killedAt(job, stage, skip) {
  const { company, peers } = job
  await peers.post('fail', { peer: 'crm_passage', match: 'POST', skip, hold: stage })
  const name = `Kim ${stage}${skip}`
  const { id } = await peers.post('forms/submit', leadOf(name, `kim-${stage}-${skip}@fleurs.example`))
  const held = await eventually('a request is held, or the lead is in the CRM', async (see) => {
    const [request] = see(await peers.get('held'))
    if (request) return request
    return (await delivered(job, id)) && { line: undefined }
  }, 120)
  if (held.line) {
    await kill(company)
    await eventually('the daemon is back', () => daemonIsReady(company), 60)
  }
  await inCrm(job, id, 120)
  await settled(company, 120)
  await once(job, id)
  return held.line && held.line.replace(/^POST \S+ /, '')
}

/// The CRM can have the lead while its reply is still held back: only books at rest say that no request is coming.
async function delivered({ crm, company }, id) {
  const rows = await crm.search('sale.opportunity', [['reference', 'like', `%${id}%`]], ['id'], { company: company.peers.crm.company })
  return rows.length > 0 && atRest(company)
}

async function kill(company) {
  const pid = daemonPid(company)
  process.kill(pid, 'SIGKILL')
  await eventually('the killed daemon is gone', () => !fs.existsSync(`/proc/${pid}`))
}

/// The process whose command line is this daemon's, with this run's configuration.
function daemonPid(company) {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const found = pids.find((pid) => {
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return words[0].endsWith('/isthmusd') && words.includes(`${company.work}/isthmus.yaml`)
    } catch {
      return false // it ended while we looked
    }
  })
  if (!found) throw new Failure('isthmusd does not run')
  return Number(found)
}
