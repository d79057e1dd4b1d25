// The main job of the demonstration company, step by step, each verified on the other side.
//   node main_job.mjs COMPANY.json [--only STEP,...]
// Exit status 0 when every step was verified, else 1 with the failing step. COMPANY.json comes from prepare.mjs.
import fs from 'node:fs'
import { Bluesky, Failure, isthmus, openCrm, Peers, same } from './clients.mjs'
import * as archive from './steps/archive.mjs'
import * as click from './steps/click.mjs'
import * as crash from './steps/crash.mjs'
import * as lead from './steps/lead.mjs'
import * as listen from './steps/listen.mjs'
import * as partner from './steps/partner.mjs'
import * as policy from './steps/policy.mjs'
import * as publish from './steps/publish.mjs'
import * as purposes from './steps/purposes.mjs'
import * as setUp from './steps/set_up.mjs'

const STEPS = { setUp, publish, listen, lead, crash, partner, purposes, click, policy, archive }

const company = JSON.parse(fs.readFileSync(process.argv[2]))
const only = process.argv[3] === '--only' ? process.argv[4].split(',') : Object.keys(STEPS)
const job = {
  company,
  peers: new Peers(company),
  crm: await openCrm(company),
  acme: new Bluesky(company, 'acme'),
  lea: new Bluesky(company, 'lea'),
  say: (text) => console.log(`    ${text}`),
}

async function nothingWasBroken() {
  const violations = await job.peers.get('violations')
  same("requests that broke a vendor's documented rules", violations.map(({ peer, method, url, rule }) => ({ peer, method, url, rule })), [])
  console.log('\n  Every request kept to what the vendors document. The two books:')
  console.log((await isthmus(company, 'books')).replace(/^/gm, '    '))
}

async function runStep(step) {
  const began = Date.now()
  console.log(`\n  ${step.title}`)
  try {
    await step.run(job)
    console.log(`    verified in ${((Date.now() - began) / 1000).toFixed(1)} s`)
  } catch (error) {
    console.error(`\n  FAILED: ${step.title}\n    ${error instanceof Failure ? error.message : error.stack}`)
    process.exit(1)
  }
}

for (const name of only) await runStep(STEPS[name])
await runStep({ title: 'Afterwards', run: nothingWasBroken })
console.log('\n  The main job is done: every step was verified.')
