// The administrator's part: apply the file, see that it comes back, seal the secrets, point the networks' webhooks here.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { holds, isthmus } from '../clients.mjs'

export const title = 'The administrator sets the company up'

export async function run(job) {
  const { company, peers } = job
  const file = path.join(company.work, 'apply.yaml')
  const wanted = await isthmus(company, 'apply', file, '--dry-run')
  holds('a dry run shows what would change', /bsky-acme/.test(wanted), wanted)
  await isthmus(company, 'apply', file)
  job.say('applied units, people with keys, seven connections and three routes')

  for (const [connection, field, secret] of secrets(company)) await seal(company, connection, field, secret)
  await isthmus(company, 'reload', '--wait')
  job.say('sealed their secrets')

  await exportComesBack(company)
  job.say('`isthmus export` gives a file that, applied again, changes nothing')

  await peers.post('webhook', { peer: 'mastodon', url: `${company.public}/in/masto-acme` })
  await peers.post('webhook', { peer: 'forms', url: `${company.public}/in/forms` })
}

function secrets({ accounts, peers: { networks, crm } }) {
  return [
    ['bsky-acme', 'password', accounts.acme.password],
    ['masto-acme', 'token', networks.tokens.mastodon],
    ['masto-acme', 'webhook_secret', networks.webhook_secrets.mastodon],
    ['x-acme', 'token', networks.tokens.x],
    ['forms', 'token', networks.tokens.forms],
    ['forms', 'webhook_secret', networks.webhook_secrets.forms],
    ['crm', 'password', fs.readFileSync(crm.password_file, 'utf8')],
    ['web', 'token_auth', networks.tokens.matomo],
    ['partner', 'webhook_secret', networks.webhook_secrets.partner],
  ]
}

async function seal(company, connection, field, secret) {
  const file = path.join(company.work, 'secret')
  fs.writeFileSync(file, secret, { mode: 0o600 })
  try {
    await isthmus(company, 'connection', 'secret', connection, field, '--file', file)
  } finally {
    fs.rmSync(file)
  }
}

async function exportComesBack(company) {
  const file = path.join(company.work, 'exported.yaml')
  fs.writeFileSync(file, await isthmus(company, 'export'))
  await isthmus(company, 'apply', file)
  const again = path.join(company.work, 'exported-again.yaml')
  fs.writeFileSync(again, await isthmus(company, 'export'))
  await new Promise((resolve, reject) => execFile('diff', ['-u', file, again], (error, stdout) => (error ? reject(new Error(`the export changed:\n${stdout}`)) : resolve())))
}
