// Makes the demonstration company out of the peers that run: accounts on the network, keys of people, the daemon's
// configuration, the file to apply, and company.json, which says all of it to the main job.
//   node prepare.mjs TOP WORK SOCKETS LOGS
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { freePorts } from '../tests/peers/ready.mjs'

const [top, work, sockets, logs] = process.argv.slice(2)
const facts = (peer) => JSON.parse(fs.readFileSync(path.join(work, `${peer}.json`)))
const [crm, atproto, networks] = [facts('crm'), facts('atproto'), facts('networks')]

async function createAccount(name) {
  const call = async (method, body, token) => {
    const reply = await fetch(`${atproto.pds}/xrpc/${method}`, {
      method: 'POST', headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }, body: JSON.stringify(body),
    })
    if (!reply.ok) throw new Error(`${method}: ${reply.status} ${await reply.text()}`)
    return reply.json()
  }
  const account = await call('com.atproto.server.createAccount', { handle: `${name}.test`, email: `${name}@acme.example`, password: crypto.randomBytes(12).toString('hex') })
  const { password } = await call('com.atproto.server.createAppPassword', { name: 'isthmus' }, account.accessJwt)
  return { did: account.did, handle: `${name}.test`, password, token: account.accessJwt }
}

function createPerson(subject) {
  const key = crypto.randomBytes(24).toString('base64url')
  return { subject, key, key_sha256: crypto.createHash('sha256').update(key).digest('hex') }
}

function fill(template, names) {
  const text = fs.readFileSync(path.join(top, 'demo', template), 'utf8').replace(/^#.*\n/gm, '')
  return text.replace(/@(\w+)@/g, (_, name) => {
    if (names[name] === undefined) throw new Error(`${template}: nothing is known as @${name}@`)
    return names[name]
  })
}

function writeCredentials() {
  const folder = path.join(work, 'credentials')
  fs.mkdirSync(folder, { mode: 0o700 })
  for (const name of ['vault-key', 'log-key']) fs.writeFileSync(path.join(folder, name), crypto.randomBytes(32).toString('hex'), { mode: 0o600 })
}

const [publicPort, housePort] = await freePorts(2)
const company = {
  top, work, logs,
  bin: path.join(top, 'build/bin'),
  public: `http://127.0.0.1:${publicPort}`,
  house: `http://127.0.0.1:${housePort}`,
  control_socket: path.join(sockets, 'control.sock'),
  adapter_sockets: path.join(sockets, 'adapters'),
  people: { marie: createPerson('marie'), paul: createPerson('paul') },
  accounts: { acme: await createAccount('acme-fleurs'), lea: await createAccount('lea-blanc') },
  peers: { atproto, crm, networks },
}
writeCredentials()
fs.mkdirSync(path.join(work, 'isthmus'), { mode: 0o700 })
fs.writeFileSync(path.join(work, 'isthmus.yaml'), fill('isthmus.yaml', {
  top, work, public_port: publicPort, house_port: housePort, control_socket: company.control_socket,
  adapter_sockets: company.adapter_sockets, database_socket: path.join(sockets, 'product'),
}))
fs.writeFileSync(path.join(work, 'apply.yaml'), fill('apply.yaml', {
  pds: atproto.pds, mastodon: networks.mastodon, x: networks.x, forms: networks.forms, matomo: networks.matomo, partner: networks.partner, crm_passage: networks.crm_passage,
  crm_database: crm.database, crm_user: crm.user, crm_company: crm.company, x_user: networks.ids.x_user, matomo_site: networks.ids.matomo_site,
  marie_key_sha256: company.people.marie.key_sha256, paul_key_sha256: company.people.paul.key_sha256,
}))
fs.writeFileSync(path.join(work, 'company.json'), JSON.stringify(company, null, 1), { mode: 0o600 })
