// 7. All of it is in the archive, an auditor's program accepts the export, and one changed byte is found and named.
import fs from 'node:fs'
import path from 'node:path'
import { holds, isthmus, same, verifyBag } from '../clients.mjs'

export const title = '7. All of it can be proved'

const FILES_MAX = 60

export async function run(job) {
  const { company, say } = job
  const bag = path.join(company.work, 'bag')
  const key = path.join(company.work, 'log-key.vkey')
  await isthmus(company, 'archive', 'export', '--out', bag)
  fs.writeFileSync(key, await isthmus(company, 'archive', 'key'))
  const verdict = await verifyBag(company, bag, key)
  same(`isthmus-verify on the bag, which said ${verdict.output.slice(-500)}; its status`, verdict.status, 0)
  const files = fs.readdirSync(bag, { recursive: true }).filter((name) => fs.statSync(path.join(bag, name)).isFile())
  holdsEverything(files.map((name) => fs.readFileSync(path.join(bag, name), 'utf8')).join('\n'))
  say(`the bag has ${files.length} files; isthmus-verify: ${verdict.output.trim().split('\n').at(-1)}`)

  const tried = sample(files)
  for (const name of tried) await changedByteIsFound(company, bag, key, name)
  say(`one byte changed in each of ${tried.length} files: refused each time, and named`)
}

function holdsEverything(text) {
  for (const [what, words] of Object.entries({
    'the post': 'Notre collection de printemps',
    'the reply from the AT Protocol network': 'magnifique, quand ouvre la boutique',
    'the reply from the Mastodon server': 'bravo, je passe samedi',
    'the lead': 'ada@fleurs.example',
    'the mention from X': 'livrez-vous',
    'the click': '0123456789abcdef',
    'the post that was held': 'garanti sur toute la collection',
    'the post that was forbidden': '4111 1111 1111 1111',
  })) holds(`${what} is in the archive`, text.includes(words), `${text.length} characters without "${words}"`)
}

/// Of many files, some of each folder, evenly.
function sample(files) {
  const step = Math.ceil(files.length / FILES_MAX)
  return files.filter((_, index) => index % step === 0 || files.length - index <= 4)
}

async function changedByteIsFound(company, bag, key, name) {
  const file = path.join(bag, name)
  const bytes = fs.readFileSync(file)
  if (bytes.length === 0) return
  const changed = Buffer.from(bytes)
  const at = Math.floor(Math.random() * bytes.length)
  changed[at] ^= 1
  fs.writeFileSync(file, changed)
  try {
    const { status, output } = await verifyBag(company, bag, key)
    holds(`isthmus-verify refuses the bag after byte ${at} of ${name} was changed`, status !== 0, output.slice(-500))
    holds(`and names ${name} or a record`, output.includes(name) || output.includes(path.basename(name)) || /record/.test(output), output.slice(-500))
  } finally {
    fs.writeFileSync(file, bytes)
  }
}
