// A real CRM on loopback: Debian's Tryton with the modules party and sale_opportunity, on SQLite.
//   node tryton.mjs prepare CACHE     initialises a database with one company (half a minute, once)
//   node tryton.mjs run CACHE WORK    starts a server on a copy of it, on a free port
// CACHE keeps crm.sqlite and the administrator's password; nothing in it changes after prepare.
import { spawn } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { freePorts, ready } from './ready.mjs'
import { Tryton } from './tryton_client.mjs'

const DATABASE = 'crm'
const [task, cache, work] = process.argv.slice(2)

function writeConfiguration(folder, port) {
  const file = path.join(folder, 'trytond.conf')
  fs.writeFileSync(file, `[database]\nuri = sqlite://\npath = ${folder}\n[web]\nlisten = 127.0.0.1:${port}\n`)
  return file
}

function start(folder, port) {
  // The server goes when this process goes, however it goes.
  const server = spawn('setpriv', ['--pdeathsig', 'TERM', 'trytond', '-c', writeConfiguration(folder, port), '-d', DATABASE], {
    stdio: ['ignore', 2, 2],
  })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  return { ended, stop: () => { server.kill('SIGTERM'); return ended } }
}

async function answers(client, server, deadline = Date.now() + 60_000) {
  let ended = false
  server.ended.then(() => { ended = true })
  while (!ended && Date.now() < deadline) {
    try {
      return await client.call('common.server.version', [])
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error(ended ? 'trytond ended before it answered' : 'trytond did not answer within 60 s')
}

async function initialise(folder, passwordFile) {
  fs.writeFileSync(path.join(folder, `${DATABASE}.sqlite`), '') // without it: "Database crm doesn't exist!"
  const admin = spawn('trytond-admin', ['-c', writeConfiguration(folder, 0), '-d', DATABASE, '--email', 'admin@crm.example',
    '-u', 'party', 'sale_opportunity', '--activate-dependencies', '-v'], {
    stdio: ['ignore', 1, 2],
    env: { ...process.env, TRYTONPASSFILE: passwordFile },
  })
  const status = await new Promise((resolve, reject) => admin.once('error', reject).once('exit', resolve))
  if (status !== 0) throw new Error(`trytond-admin ended with ${status}`)
}

/// Opportunities are refused until the user belongs to a company, and a company needs a currency with a rate.
async function foundCompany(client) {
  const create = async (model, values) => (await client.call(`model.${model}.create`, [[values], {}]))[0]
  const decimal = (text) => ({ __class__: 'Decimal', decimal: text })
  const currency = await create('currency.currency', {
    name: 'Euro', symbol: '€', code: 'EUR', numeric_code: '978', digits: 2, rounding: decimal('0.01'),
  })
  await create('currency.currency.rate', {
    currency, date: { __class__: 'date', year: 2020, month: 1, day: 1 }, rate: decimal('1'),
  })
  const party = await create('party.party', { name: 'ACME', code: 'ACME' })
  const company = await create('company.company', { party, currency })
  await client.call('model.res.user.write', [[1], { companies: [['add', [company]]], company }, {}])
}

async function prepare() {
  const fresh = `${cache}.new`
  fs.rmSync(fresh, { recursive: true, force: true })
  fs.mkdirSync(fresh, { recursive: true, mode: 0o700 })
  const passwordFile = path.join(fresh, 'password')
  const password = crypto.randomBytes(12).toString('hex')
  fs.writeFileSync(passwordFile, password, { mode: 0o600 })
  await initialise(fresh, passwordFile)
  const [port] = await freePorts(1)
  const server = start(fresh, port)
  const client = new Tryton({ url: `http://127.0.0.1:${port}`, database: DATABASE, user: 'admin', password })
  try {
    await answers(client, server)
    await foundCompany(await client.login())
  } finally {
    await server.stop()
  }
  fs.renameSync(fresh, cache)
}

async function run() {
  fs.mkdirSync(work, { recursive: true, mode: 0o700 })
  fs.copyFileSync(path.join(cache, `${DATABASE}.sqlite`), path.join(work, `${DATABASE}.sqlite`))
  const [port] = await freePorts(1)
  const server = start(work, port)
  const facts = {
    url: `http://127.0.0.1:${port}`,
    database: DATABASE,
    user: 'admin',
    password_file: path.join(cache, 'password'),
    company: 1,
  }
  const version = await answers(new Tryton(facts), server)
  ready({ ...facts, version }, () => server.stop())
  server.ended.then(() => process.exit(1))
}

await { prepare, run }[task]()
