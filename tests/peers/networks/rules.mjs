// How a vendor's documented parameters are written down and held against a request.
import { Refusal } from './server.mjs'

const integer = (low, high) => (text) => (/^\d+$/.test(text) && Number(text) >= low && Number(text) <= high ? null : `an integer from ${low} to ${high}`)
const matching = (pattern, what) => (text) => (pattern.test(text) ? null : what)
const among = (...words) => (text) => (words.includes(text) ? null : `one of ${words.join(', ')}`)

export const type = {
  any: () => null,
  integer,
  matching,
  among,
  id: matching(/^\d+$/, 'an id (digits)'),
  boolean: among('true', 'false', '1', '0'),
  url: (text) => (URL.canParse(text) ? null : 'a full URL'),
  time: (text) => (Number.isNaN(Date.parse(text)) ? 'a time' : null),
  listOf: (...words) => (text) => (text.split(',').every((word) => words.includes(word)) ? null : `a comma list of ${words.join(', ')}`),
}

/// Holds pairs [name, text] against { name: { check, required? } }; returns what is wrong, in words, or null.
/// A name may end in [] and then repeat; any other name may stand once.
export function findFault(pairs, rules) {
  const seen = new Map()
  for (const [name, text] of pairs) {
    const rule = rules[name]
    if (!rule) return { name, text, problem: `parameter ${name} is not documented` }
    if (seen.has(name) && !name.endsWith('[]')) return { name, text, problem: `parameter ${name} stands twice` }
    seen.set(name, text)
    const wanted = rule.check(String(text))
    if (wanted) return { name, text, problem: `parameter ${name} is ${JSON.stringify(text)}, wanted ${wanted}` }
  }
  const missing = Object.keys(rules).find((name) => rules[name].required && !seen.has(name))
  return missing ? { name: missing, text: null, problem: `parameter ${missing} is required` } : null
}

/// Body of a request as pairs: form, JSON (arrays under "name[]", objects as "name[key]") or multipart/form-data.
/// Files of multipart bodies come as { name, filename, mime, bytes } in the second value.
export async function bodyPairs(request) {
  const mime = String(request.headers['content-type'] ?? '')
  if (request.raw.length === 0) return [[], []]
  if (mime.startsWith('application/x-www-form-urlencoded')) return [[...new URLSearchParams(request.raw.toString())], []]
  if (mime.startsWith('application/json')) return [flatten(parseJson(request.raw)), []]
  if (mime.startsWith('multipart/form-data')) return multipart(request)
  throw new Refusal(415, { error: 'unsupported content type' }, `content type ${mime || '(none)'} is not documented`)
}

export function parseJson(raw) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw))
  } catch {
    throw new Refusal(400, { error: 'Bad request' }, 'a JSON body must be JSON in UTF-8')
  }
}

function flatten(object) {
  return Object.entries(object).flatMap(([name, value]) => {
    if (Array.isArray(value)) return value.map((one) => [`${name}[]`, one])
    if (value && typeof value === 'object') return flatten(value).map(([key, one]) => [`${name}[${key}]`, one])
    return value === null ? [] : [[name, value]]
  })
}

async function multipart(request) {
  const form = await new Response(request.raw, { headers: { 'content-type': request.headers['content-type'] } }).formData().catch(() => {
    throw new Refusal(400, { error: 'Bad request' }, 'the multipart body cannot be read')
  })
  const fields = []
  const files = []
  for (const [name, value] of form) {
    if (typeof value === 'string') fields.push([name, value])
    else files.push({ name, filename: value.name, mime: value.type, bytes: Buffer.from(await value.arrayBuffer()) })
  }
  return [fields, files]
}
