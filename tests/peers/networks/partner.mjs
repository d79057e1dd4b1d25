// A partner company that takes leads as Standard Webhooks 1.0 has them
// (https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, read 2026-11-24). The signature is judged by
// that project's own library. The same webhook-id again is the same message: it is answered as before and kept once.
import crypto from 'node:crypto'
import { require } from '../ready.mjs'
import { Refusal } from './server.mjs'
import { parseJson } from './rules.mjs'

export class Partner {
  name = 'partner'
  webhookSecret = `whsec_${crypto.randomBytes(24).toString('base64')}`
  messages = new Map()

  constructor() {
    this.verifier = new (require('standardwebhooks').Webhook)(this.webhookSecret)
    this.handle = (request) => this.answer(request)
  }

  answer({ method, path, headers, raw }) {
    if (method !== 'POST' || path !== '/leads') throw new Refusal(404, { error: 'not_found' }, `${method} ${path} is not where leads are taken`)
    const refuse = (status, rule) => new Refusal(status, { error: rule }, rule)
    try {
      this.verifier.verify(raw.toString('utf8'), headers)
    } catch (error) {
      throw refuse(401, `webhook-signature: ${error.message}`)
    }
    if (!/^application\/json\b/.test(headers['content-type'] ?? '')) throw refuse(415, 'Content-Type: application/json')
    const { type, timestamp, data, ...rest } = parseJson(raw)
    if (!/^[a-z0-9_]+(\.[a-z0-9_]+)*$/.test(type ?? '')) throw refuse(400, 'type: words joined by full stops')
    if (Number.isNaN(Date.parse(timestamp ?? ''))) throw refuse(400, 'timestamp: ISO 8601')
    if (typeof data !== 'object' || data === null) throw refuse(400, 'data: the event')
    if (Object.keys(rest).length > 0) throw refuse(400, `no member ${Object.keys(rest)[0]} beside type, timestamp and data`)
    this.messages.set(headers['webhook-id'], { id: headers['webhook-id'], type, data })
    return { status: 204 }
  }
}
