// A provider of contact forms: it tells of a submission by a signed webhook, and lists submissions by cursor.
// The webhook follows Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md,
// read 2026-11-24); it is signed by that project's own library, so that our verifier is not judged by our own signer.
//
//   GET /v1/submissions?cursor=C&limit=1..100   Authorization: Bearer <key>
//     -> {"data": [submission, ...oldest first], "next_cursor": C}   a cursor is stable: an empty page gives it back
//   webhook {"type": "lead.created", "timestamp": T, "data": submission}
//   submission: the members of format lead/1 without "source"
import crypto from 'node:crypto'
import { require } from '../ready.mjs'
import { Refusal } from './server.mjs'
import { findFault, type } from './rules.mjs'

const LIST_QUERY = { cursor: { check: type.matching(/^c\d+$/, 'a cursor of a former reply') }, limit: { check: type.integer(1, 100) } }

export class Forms {
  name = 'forms'
  token = crypto.randomBytes(24).toString('base64url')
  webhookSecret = `whsec_${crypto.randomBytes(24).toString('base64')}`
  submissions = []

  constructor(now = () => Date.now()) {
    this.now = now
    this.signer = new (require('standardwebhooks').Webhook)(this.webhookSecret)
    this.handle = (request) => this.answer(request)
  }

  answer(request) {
    if (request.method !== 'GET' || request.path !== '/v1/submissions') {
      throw new Refusal(404, { error: 'not_found' }, `${request.method} ${request.path} is not documented`)
    }
    if (request.headers.authorization !== `Bearer ${this.token}`) throw new Refusal(401, { error: 'unauthorized' }, 'Authorization: Bearer <key>')
    const fault = findFault([...request.query], LIST_QUERY)
    if (fault) throw new Refusal(400, { error: 'invalid_request', message: fault.problem }, fault.problem)
    const from = Number((request.query.get('cursor') ?? 'c0').slice(1))
    const data = this.submissions.slice(from, from + Number(request.query.get('limit') ?? 50))
    return { status: 200, body: { data, next_cursor: `c${from + data.length}` } }
  }

  submit(lead) {
    const submission = { external_id: `sub_${crypto.randomBytes(6).toString('hex')}`, submitted_at: new Date(this.now()).toISOString(), ...lead }
    this.submissions.push(submission)
    return submission
  }

  /// @param deliveryId the webhook-id; the same id again is a redelivery, another one a new delivery of the same event
  deliver(externalId, deliveryId = `msg_${crypto.randomBytes(10).toString('hex')}`) {
    const data = this.submissions.find(({ external_id: id }) => id === externalId)
    if (!data) throw new Refusal(404, { error: `no submission ${externalId}` })
    const at = new Date(Math.floor(this.now() / 1000) * 1000)
    const body = JSON.stringify({ type: 'lead.created', timestamp: data.submitted_at, data })
    const headers = {
      'content-type': 'application/json',
      'webhook-id': deliveryId,
      'webhook-timestamp': String(at.getTime() / 1000),
      'webhook-signature': this.signer.sign(deliveryId, at, body),
    }
    return { id: externalId, delivery_id: deliveryId, webhook: { headers, body } }
  }
}
