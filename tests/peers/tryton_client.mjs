// A client for Tryton's JSON-RPC, for setting it up and for reading it from outside.
// The session goes as "Session base64(user:id:key)" (trytond/protocols/dispatcher.py); a
// business error is HTTP 200 with {"error": [...]}. Seen on trytond 6.0.29, 2026-11-24.

export class Tryton {
  constructor({ url, database, user, password }) {
    Object.assign(this, { url, database, user, password })
  }

  async login() {
    const [id, key] = await this.call('common.db.login', [this.user, { password: this.password }, 'en'])
    this.session = Buffer.from(`${this.user}:${id}:${key}`).toString('base64')
    return this
  }

  /// The context is always the last parameter of a model's method.
  async call(method, params) {
    const headers = { 'content-type': 'application/json' }
    if (this.session) headers.authorization = `Session ${this.session}`
    const path = method === 'common.server.version' || method === 'common.db.list' ? '/' : `/${this.database}/`
    const reply = await fetch(this.url + path, {
      method: 'POST',
      headers,
      body: JSON.stringify({ id: 1, method, params }),
      signal: AbortSignal.timeout(30_000),
    })
    if (!reply.ok) throw new Error(`Tryton answers ${reply.status} to ${method}`)
    const { error, result } = await reply.json()
    if (error) throw new Error(`Tryton refuses ${method}: ${JSON.stringify(error).slice(0, 500)}`)
    return result
  }

  search(model, domain, fields, context = {}) {
    return this.call(`model.${model}.search_read`, [domain, 0, 1000, null, fields, context])
  }
}
