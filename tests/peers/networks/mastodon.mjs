// A server of Mastodon's client API, as far as publishing and listening need it, with two local accounts.
// Written from the vendor's pages, read 2026-11-24:
//   statuses       https://docs.joinmastodon.org/methods/statuses/
//   media          https://docs.joinmastodon.org/methods/media/
//   accounts       https://docs.joinmastodon.org/methods/accounts/
//   notifications  https://docs.joinmastodon.org/methods/notifications/
//   instance       https://docs.joinmastodon.org/methods/instance/
//   rate limits    https://docs.joinmastodon.org/api/rate-limits/
//   webhooks       https://docs.joinmastodon.org/admin/webhooks/
import crypto from 'node:crypto'
import { Refusal } from './server.mjs'
import { bodyPairs, findFault, type } from './rules.mjs'
import { Window } from './window.mjs'

const CHARACTERS_MAX = 500
const CHARACTERS_PER_URL = 23
const REQUESTS_MAX = 300 // in five minutes, of one account
const WINDOW_SECONDS = 300
const IDEMPOTENCY_MS = 3600_000 // "Idempotency keys are stored for up to 1 hour"
const MIME_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'video/mp4']
const NOTIFICATION_TYPES = ['mention', 'status', 'reblog', 'follow', 'follow_request', 'favourite', 'poll', 'update', 'admin.sign_up', 'admin.report', 'severed_relationships', 'moderation_warning', 'quote', 'quoted_update']

const paging = { max_id: { check: type.id }, since_id: { check: type.id }, min_id: { check: type.id } }
const STATUS_FORM = {
  status: { check: type.any },
  'media_ids[]': { check: type.id },
  'poll[options][]': { check: type.any },
  'poll[expires_in]': { check: type.integer(300, 2678400) },
  'poll[multiple]': { check: type.boolean },
  'poll[hide_totals]': { check: type.boolean },
  in_reply_to_id: { check: type.id },
  sensitive: { check: type.boolean },
  spoiler_text: { check: type.any },
  visibility: { check: type.among('public', 'unlisted', 'private', 'direct') },
  language: { check: type.matching(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/, 'an ISO 639 code') },
  scheduled_at: { check: type.time },
  quoted_status_id: { check: type.id },
  quote_approval_policy: { check: type.among('public', 'followers', 'nobody') },
}
const MEDIA_FORM = { description: { check: type.any }, focus: { check: type.matching(/^-?[01](\.\d+)?,-?[01](\.\d+)?$/, 'two numbers from -1 to 1') } }
const NOTIFICATION_QUERY = {
  ...paging,
  limit: { check: type.integer(1, 80) },
  'types[]': { check: type.among(...NOTIFICATION_TYPES) },
  'exclude_types[]': { check: type.among(...NOTIFICATION_TYPES) },
  account_id: { check: type.id },
  include_filtered: { check: type.boolean },
}
const ACCOUNT_STATUSES_QUERY = {
  ...paging,
  limit: { check: type.integer(1, 40) },
  only_media: { check: type.boolean },
  exclude_replies: { check: type.boolean },
  exclude_reblogs: { check: type.boolean },
  pinned: { check: type.boolean },
  tagged: { check: type.any },
}

const escapeHtml = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])
const refuse422 = (message, rule) => new Refusal(422, { error: `Validation failed: ${message}` }, rule)

/// Each URL counts 23, of a mention only the local part: https://docs.joinmastodon.org/user/posting/#text
export function countedCharacters(text) {
  const shortened = text.replace(/https?:\/\/\S+/g, 'x'.repeat(CHARACTERS_PER_URL)).replace(/(@\w+)@[\w.-]+\w/g, '$1')
  return [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(shortened)].length
}

export class Mastodon {
  name = 'mastodon'
  token = crypto.randomBytes(24).toString('base64url')
  webhookSecret = crypto.randomBytes(20).toString('hex')
  accounts = new Map()
  statuses = []
  media = new Map()
  notifications = []
  idempotency = new Map()

  constructor(now = () => Date.now()) {
    this.now = now
    this.window = new Window(REQUESTS_MAX, WINDOW_SECONDS, now)
    this.lastId = BigInt(now()) << 16n // ids hold milliseconds in their upper bits, so they grow with time
    this.url = 'http://mastodon.invalid'
    this.acme = this.addAccount('acme', 'ACME')
    this.claire = this.addAccount('claire', 'Claire Petit')
    this.handle = (request) => this.answer(request)
  }

  nextId() {
    this.lastId += 1n
    return String(this.lastId)
  }

  addAccount(username, displayName) {
    const id = this.nextId()
    this.accounts.set(id, { id, username, displayName })
    return id
  }

  async answer(request) {
    const { allowed, remaining, reset } = this.window.take()
    const headers = { 'x-ratelimit-limit': String(REQUESTS_MAX), 'x-ratelimit-remaining': String(remaining), 'x-ratelimit-reset': new Date(reset).toISOString() }
    if (!allowed) throw new Refusal(429, { error: 'Too many requests' }, 'the headers had told that the limit is used up', headers)
    const reply = await this.route(request)
    return { ...reply, headers: { ...headers, ...reply.headers } }
  }

  route(request) {
    const routes = [
      ['GET', /^\/api\/v2\/instance$/, () => this.instance()],
      ['GET', /^\/api\/v1\/accounts\/verify_credentials$/, () => ({ status: 200, body: { ...this.account(this.acme), source: { privacy: 'public', language: 'fr', note: '', fields: [] } } })],
      ['GET', /^\/api\/v1\/accounts\/(\d+)\/statuses$/, (id) => this.listStatuses(id, request)],
      ['GET', /^\/api\/v1\/notifications$/, () => this.listNotifications(request)],
      ['POST', /^\/api\/v2\/media$/, () => this.upload(request)],
      ['GET', /^\/api\/v1\/media\/(\d+)$/, (id) => this.showMedia(id)],
      ['POST', /^\/api\/v1\/statuses$/, () => this.post(request)],
      ['GET', /^\/api\/v1\/statuses\/(\d+)$/, (id) => ({ status: 200, body: this.status(this.find(id)) })],
      ['DELETE', /^\/api\/v1\/statuses\/(\d+)$/, (id) => this.remove(id)],
    ]
    const match = routes.find(([method, path]) => method === request.method && path.test(request.path))
    if (!match) throw new Refusal(404, { error: 'Not Found' }, `${request.method} ${request.path} is not documented`)
    if (match[1].source !== '^\\/api\\/v2\\/instance$' && request.headers.authorization !== `Bearer ${this.token}`) {
      throw new Refusal(401, { error: 'The access token is invalid' }, 'Authorization: Bearer <user token>')
    }
    return match[2](...match[1].exec(request.path).slice(1))
  }

  instance() {
    return {
      status: 200,
      body: {
        domain: new URL(this.url).host, title: 'Test server', version: '4.5.0', source_url: 'https://github.com/mastodon/mastodon',
        configuration: {
          urls: { streaming: '' },
          statuses: { max_characters: CHARACTERS_MAX, max_media_attachments: 4, characters_reserved_per_url: CHARACTERS_PER_URL },
          media_attachments: { supported_mime_types: MIME_TYPES, description_limit: 1500, image_size_limit: 16 << 20, image_matrix_limit: 33177600, video_size_limit: 99 << 20 },
        },
      },
    }
  }

  account(id) {
    const { username, displayName } = this.accounts.get(id)
    return { id, username, acct: username, display_name: displayName, locked: false, bot: false, created_at: '2026-01-01T00:00:00.000Z', note: '', url: `${this.url}/@${username}`, uri: `${this.url}/users/${username}`, fields: [], emojis: [] }
  }

  status(stored) {
    const mentions = stored.mentions.map((id) => this.accounts.get(id)).map(({ id, username }) => ({ id, username, acct: username, url: `${this.url}/@${username}` }))
    const { username } = this.accounts.get(stored.account)
    return {
      id: stored.id, created_at: stored.createdAt, in_reply_to_id: stored.replyTo, in_reply_to_account_id: stored.replyTo ? this.find(stored.replyTo).account : null,
      sensitive: false, spoiler_text: stored.spoiler, visibility: stored.visibility, language: stored.language,
      uri: `${this.url}/users/${username}/statuses/${stored.id}`, url: `${this.url}/@${username}/${stored.id}`,
      replies_count: this.statuses.filter((s) => s.replyTo === stored.id).length, reblogs_count: 0, favourites_count: 0, edited_at: null,
      content: this.html(stored, mentions), reblog: null, account: this.account(stored.account),
      media_attachments: stored.media.map((id) => this.attachment(id)), mentions, tags: [], emojis: [], card: null, poll: null,
    }
  }

  html(stored, mentions) {
    let html = escapeHtml(stored.text)
    for (const { username, url } of mentions) {
      html = html.replace(`@${username}`, `<span class="h-card"><a href="${url}" class="u-url mention">@<span>${username}</span></a></span>`)
    }
    return `<p>${html.replace(/\n\n/g, '</p><p>').replace(/\n/g, '<br />')}</p>`
  }

  find(id) {
    const stored = this.statuses.find((status) => status.id === id)
    if (!stored) throw new Refusal(404, { error: 'Record not found' })
    return stored
  }

  async upload(request) {
    const [fields, files] = await bodyPairs(request)
    const fault = findFault(fields, MEDIA_FORM)
    if (fault) throw refuse422(fault.problem, fault.problem)
    const file = files.find(({ name }) => name === 'file')
    if (!file) throw refuse422("File can't be blank", 'form data parameter file is required')
    if (files.some(({ name }) => !['file', 'thumbnail'].includes(name))) throw refuse422('unknown file', 'only file and thumbnail are documented')
    if (!MIME_TYPES.includes(file.mime)) throw refuse422('File content type is invalid', `media of type ${file.mime} is not supported`)
    const id = this.nextId()
    this.media.set(id, { id, mime: file.mime, bytes: file.bytes, description: Object.fromEntries(fields).description ?? null, polls: 0 })
    return { status: 202, body: { ...this.attachment(id), url: null } } // processed later: look with GET until 200
  }

  attachment(id) {
    const { mime, description } = this.media.get(id)
    return { id, type: mime.split('/')[0], url: `${this.url}/media/${id}`, preview_url: `${this.url}/media/${id}/small`, remote_url: null, text_url: null, meta: {}, description, blurhash: null }
  }

  showMedia(id) {
    const item = this.media.get(id)
    if (!item) throw new Refusal(404, { error: 'Record not found' })
    item.polls += 1
    return item.polls > 1 ? { status: 200, body: this.attachment(id) } : { status: 206, body: { ...this.attachment(id), url: null } }
  }

  async post(request) {
    const key = request.headers['idempotency-key']
    const known = this.idempotency.get(key)
    if (key && known && this.now() - known.at < IDEMPOTENCY_MS) return { status: 200, body: this.status(this.find(known.id)) }
    const [fields] = await bodyPairs(request)
    const fault = findFault(fields, STATUS_FORM)
    if (fault) throw refuse422(fault.problem, fault.problem)
    const id = this.store(this.acme, Object.fromEntries(fields), fields.filter(([name]) => name === 'media_ids[]').map(([, text]) => String(text)))
    if (key) this.idempotency.set(key, { id, at: this.now() })
    return { status: 200, body: this.status(this.find(id)) }
  }

  /// @return the id of the new status; refuses what the vendor refuses
  store(account, { status: text = '', in_reply_to_id: replyTo = null, spoiler_text: spoiler = '', visibility = 'public', language = 'en' }, media = []) {
    if (!text && media.length === 0) throw refuse422("Text can't be blank", 'status is required without media_ids[]')
    if (countedCharacters(spoiler + text) > CHARACTERS_MAX) throw refuse422(`Text character limit of ${CHARACTERS_MAX} exceeded`, 'text within max_characters')
    if (media.length > 4) throw refuse422('Cannot attach more than 4 files', 'at most max_media_attachments')
    for (const one of media) {
      const item = this.media.get(one)
      if (!item) throw refuse422('Media could not be found', 'media_ids[] must be uploaded first')
      if (item.polls < 2) throw new Refusal(422, { error: 'Cannot attach files that have not finished processing. Try again in a moment!' }, 'media must be processed before it is attached')
    }
    if (replyTo && !this.statuses.some(({ id }) => id === replyTo)) throw new Refusal(404, { error: 'Record not found' }, 'in_reply_to_id must exist')
    const mentions = [...this.accounts.values()].filter(({ username }) => new RegExp(`@${username}\\b`).test(text)).map(({ id }) => id)
    const stored = { id: this.nextId(), account, text, replyTo, spoiler, visibility, language, media, mentions, createdAt: new Date(this.now()).toISOString() }
    this.statuses.push(stored)
    if (account !== this.acme && mentions.includes(this.acme)) {
      this.notifications.push({ id: this.nextId(), type: 'mention', status: stored.id, account, createdAt: stored.createdAt })
    }
    return stored.id
  }

  remove(id) {
    const stored = this.find(id)
    const body = { ...this.status(stored), text: stored.text }
    this.statuses = this.statuses.filter((status) => status !== stored)
    return { status: 200, body }
  }

  /// Newest first; Link names the next older (max_id) and the next newer (min_id) page.
  page(request, items, rules, limitDefault) {
    const fault = findFault([...request.query], rules)
    if (fault) throw refuse422(fault.problem, fault.problem)
    const query = (name) => (request.query.has(name) ? BigInt(request.query.get(name)) : null)
    const limit = Number(request.query.get('limit') ?? limitDefault)
    let kept = items.filter(({ id }) => (query('max_id') === null || BigInt(id) < query('max_id')) && (query('since_id') === null || BigInt(id) > query('since_id')) && (query('min_id') === null || BigInt(id) > query('min_id')))
    kept = query('min_id') === null ? kept.reverse().slice(0, limit) : kept.slice(0, limit).reverse()
    if (kept.length === 0) return [kept, {}]
    const link = (name, id, rel) => {
      const query = new URLSearchParams([...request.query].filter(([key]) => !['max_id', 'min_id', 'since_id'].includes(key)))
      query.set(name, id)
      return `<${this.url}${request.path}?${query}>; rel="${rel}"`
    }
    return [kept, { link: [link('max_id', kept.at(-1).id, 'next'), link('min_id', kept[0].id, 'prev')].join(', ') }]
  }

  listStatuses(account, request) {
    if (!this.accounts.has(account)) throw new Refusal(404, { error: 'Record not found' })
    const [kept, headers] = this.page(request, this.statuses.filter((status) => status.account === account), ACCOUNT_STATUSES_QUERY, 20)
    return { status: 200, headers, body: kept.map((status) => this.status(status)) }
  }

  listNotifications(request) {
    const types = request.query.getAll('types[]')
    const wanted = this.notifications.filter((one) => (types.length === 0 || types.includes(one.type)) && !request.query.getAll('exclude_types[]').includes(one.type))
    const [kept, headers] = this.page(request, wanted, NOTIFICATION_QUERY, 40)
    return {
      status: 200,
      headers,
      body: kept.map(({ id, type: kind, status, account, createdAt }) => ({
        id, type: kind, created_at: createdAt, group_key: `ungrouped-${id}`, account: this.account(account), status: this.status(this.find(status)),
      })),
    }
  }

  /// A local account replies; the server's webhook "status.created" tells of it. Signed as WebSub does:
  /// X-Hub-Signature: sha256=<hex of HMAC-SHA256 of the raw body>.
  reply(to, text) {
    const id = this.store(this.claire, { status: text, in_reply_to_id: to, language: 'fr' })
    const body = JSON.stringify({ event: 'status.created', created_at: new Date(this.now()).toISOString(), object: this.status(this.find(id)) })
    const signature = crypto.createHmac('sha256', this.webhookSecret).update(body).digest('hex')
    return { id, webhook: { headers: { 'content-type': 'application/json', 'x-hub-signature': `sha256=${signature}` }, body } }
  }
}
