// Holds rendered requests of adapters against vendors' descriptions and says, per adapter, how much that shows.
//   node conformance.mjs FOLDER REQUESTS.jsonl MODULES
// FOLDER has check.mjs and descriptions/; REQUESTS is the output of `isthmus adapter render --golden`; MODULES has ajv.
// checked: a description covers method, path, query and body; path only: it leaves the body open; unchecked: there is
// none for that system. Exit status 1 if a request is not what the vendor describes.
// A description that lacks a documented path is named in adapters/SYSTEM/gaps.json, with the vendor's page: its requests count as a
// gap as long as the path is all that is missed.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const [folder, requests, modules] = process.argv.slice(2)

function check() {
  const args = [path.join(folder, 'check.mjs'), path.join(folder, 'descriptions'), requests, '--json']
  try {
    return execFileSync(process.execPath, args, { cwd: path.dirname(modules), encoding: 'utf8', maxBuffer: 1 << 28 })
  } catch (error) {
    if (error.status !== 1) throw error // 1 is its answer "some are wrong", which the lines then say
    return error.stdout
  }
}

const open = (result) => result.warnings.some(({ code }) => ['body-undescribed', 'body-unchecked', 'schema'].includes(code))
const gapsOf = (system) => {
  const file = new URL(`../../adapters/${system}/gaps.json`, import.meta.url)
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : []
}
const isGap = ({ system, method, url, errors }) => errors.every(({ code }) => code === 'path-unknown') &&
  gapsOf(system).some((gap) => gap.method === method && new RegExp(gap.path).test(new URL(url).pathname))
const systems = new Map()
let wrong = 0

for (const line of check().split('\n')) {
  if (!line.startsWith('{')) {
    if (line.trim()) console.log(`  ${line}`)
    continue
  }
  const result = JSON.parse(line)
  const tally = systems.get(result.system) ?? { checked: 0, 'path only': 0, unchecked: 0, 'not in the description (gaps.json)': 0, wrong: 0 }
  systems.set(result.system, tally)
  if (result.verdict === 'fail' && isGap(result)) tally['not in the description (gaps.json)'] += 1
  else if (result.verdict === 'fail') {
    tally.wrong += 1
    wrong += 1
    console.log(`  ${result.system} ${result.method} ${result.url}`)
    for (const { code, text } of result.errors) console.log(`    ${code}: ${text}`)
  } else if (result.verdict === 'no-description') tally.unchecked += 1
  else tally[open(result) ? 'path only' : 'checked'] += 1
}

for (const [system, tally] of [...systems].sort(([a], [b]) => a.localeCompare(b))) {
  const parts = Object.entries(tally).filter(([, count]) => count > 0)
  console.log(`  ${system}: ${parts.map(([word, count]) => `${count} ${word}`).join(', ')}`)
}
process.exit(wrong ? 1 : 0)
