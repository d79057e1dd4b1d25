// The HTTP side that all checking peers share: one loopback server each, a journal of what came, scripted faults.
//
// A peer answers a request that breaks its vendor's documented rules as the vendor does, and the breach is kept in the
// journal: a test that passed with a breach in it did not pass.
import http from 'node:http'

const BODY_BYTES_MAX = 64 << 20

/// What a peer throws to answer with an error. `rule` names the documented rule that the request broke; without one
/// the refusal is an ordinary answer (a status that does not exist).
export class Refusal extends Error {
  constructor(status, body, rule = null, headers = {}) {
    super(rule ?? `answer ${status}`)
    Object.assign(this, { status, body, rule, headers })
  }
}

/// Requests, breaches and faults of all peers of one process.
export class Journal {
  requests = []
  violations = []
  faults = []
  held = []

  /// The first fault that has times left and matches; it is used up by this. One with `skip` lets that many pass first.
  takeFault(peer, line) {
    const fault = this.faults.find((f) => f.times > 0 && (!f.peer || f.peer === peer) && line.includes(f.match))
    if (fault?.skip > 0) {
      fault.skip -= 1
      return undefined
    }
    if (fault) fault.times -= 1
    return fault
  }

  record(entry) {
    this.requests.push(entry)
    if (entry.rule) this.violations.push(entry)
  }
}

async function read(message) {
  const chunks = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new Refusal(413, { error: 'body too large' }, `body under ${BODY_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/// What a handler gets. `line` is what faults match on: "POST /api/v1/statuses" and, where the peer says so, more.
function describe(message, raw) {
  const url = new URL(message.url, 'http://peer')
  return { method: message.method, path: url.pathname, query: url.searchParams, headers: message.headers, raw, line: `${message.method} ${url.pathname}` }
}

function send(response, { status, headers = {}, body = null }) {
  const bytes = Buffer.isBuffer(body) || body === null ? body : Buffer.from(JSON.stringify(body))
  if (bytes && !Buffer.isBuffer(body)) headers = { 'content-type': 'application/json; charset=utf-8', ...headers }
  response.writeHead(status, { 'content-length': bytes ? bytes.length : 0, ...headers })
  response.end(bytes ?? undefined)
}

/// Waits until the test releases it or the client is gone; true when the client is still there.
function hold(journal, peer, line, message, stage) {
  return new Promise((resolve) => {
    const entry = { peer, line, stage, release: () => finish(true) }
    const finish = (alive) => {
      journal.held = journal.held.filter((other) => other !== entry)
      resolve(alive)
    }
    message.socket.once('close', () => finish(false))
    journal.held.push(entry)
  })
}

async function answerWithFault(journal, name, fault, message, request, response, handle) {
  if (fault.hold === 'before' && !(await hold(journal, name, request.line, message, 'before'))) return null
  if (fault.drop_before_receive) return message.socket.destroy(), null
  if (fault.status) return { status: fault.status, headers: fault.headers ?? {}, body: fault.body ?? { error: 'scripted' } }
  const answer = await handle(request)
  if (fault.drop_after_receive) return message.socket.destroy(), null
  if (fault.hold === 'after' && !(await hold(journal, name, request.line, message, 'after'))) return null
  return answer
}

/// Starts one peer on a free loopback port.
/// @param peer { name, handle(request) -> {status, headers?, body?}, label?(request) -> more text for faults to match }
export async function serve(peer, journal) {
  const server = http.createServer(async (message, response) => {
    const entry = { peer: peer.name, at: new Date().toISOString(), method: message.method, url: message.url, headers: message.headers, body: '', status: 0, rule: null }
    let answer
    try {
      const request = describe(message, await read(message))
      entry.body = request.raw.toString(request.raw.length > 65536 ? 'latin1' : 'utf8').slice(0, 65536)
      if (peer.label) request.line += ` ${peer.label(request)}`
      entry.line = request.line
      const fault = journal.takeFault(peer.name, request.line)
      answer = fault
        ? await answerWithFault(journal, peer.name, fault, message, request, response, peer.handle)
        : await peer.handle(request)
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(`${peer.name}: ${error.stack}`)
      const { status = 500, headers = {}, body = { error: 'peer failed' }, rule = `the peer itself failed: ${error.message}` } = error
      answer = { status, headers, body }
      entry.rule = rule
    }
    entry.status = answer?.status ?? 0
    journal.record(entry)
    if (answer && !response.destroyed) send(response, answer)
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => { server.closeAllConnections(); server.close() } }
}
