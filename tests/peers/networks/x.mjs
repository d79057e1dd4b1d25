// X API v2, collecting only: mentions of one user.
// Written from the vendor's pages, read 2026-11-24:
//   https://docs.x.com/x-api/users/get-mentions
//   https://docs.x.com/x-api/posts/timelines/quickstart/user-mention-quickstart (an example reply)
//   https://docs.x.com/x-api/fundamentals/rate-limits
import crypto from 'node:crypto'
import { Refusal } from './server.mjs'
import { findFault, type } from './rules.mjs'
import { Window } from './window.mjs'

const POST_FIELDS = ['attachments', 'author_id', 'card_uri', 'community_id', 'context_annotations', 'conversation_id', 'created_at', 'display_text_range', 'edit_controls', 'edit_history_tweet_ids', 'entities', 'geo', 'id', 'in_reply_to_user_id', 'lang', 'media_metadata', 'note_tweet', 'possibly_sensitive', 'public_metrics', 'referenced_tweets', 'reply_settings', 'scopes', 'source', 'text', 'withheld']
const USER_FIELDS = ['affiliation', 'created_at', 'description', 'entities', 'id', 'location', 'most_recent_tweet_id', 'name', 'pinned_tweet_id', 'profile_banner_url', 'profile_image_url', 'protected', 'public_metrics', 'url', 'username', 'verified', 'verified_type', 'withheld']
const EXPANSIONS = ['article.cover_media', 'attachments.media_keys', 'attachments.poll_ids', 'author_id', 'edit_history_tweet_ids', 'entities.mentions.username', 'geo.place_id', 'in_reply_to_user_id', 'referenced_tweets.id', 'referenced_tweets.id.author_id']
const MENTIONS_QUERY = {
  since_id: { check: type.matching(/^\d{1,19}$/, 'a post id') },
  until_id: { check: type.matching(/^\d{1,19}$/, 'a post id') },
  max_results: { check: type.integer(5, 100) },
  pagination_token: { check: type.matching(/^[a-z0-9]{16,}$/, 'a token of a former reply') },
  start_time: { check: type.matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/, 'YYYY-MM-DDTHH:mm:ssZ') },
  end_time: { check: type.matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/, 'YYYY-MM-DDTHH:mm:ssZ') },
  'tweet.fields': { check: type.listOf(...POST_FIELDS) },
  'user.fields': { check: type.listOf(...USER_FIELDS) },
  expansions: { check: type.listOf(...EXPANSIONS) },
}
const WINDOW_SECONDS = 900
const REQUESTS_MAX = 900 // the pages tell other numbers for each plan

function invalid({ name, text, problem }) {
  return new Refusal(400, {
    errors: [{ parameters: { [name]: [text] }, message: problem }],
    title: 'Invalid Request', detail: 'One or more parameters to your request was invalid.', type: 'https://api.x.com/2/problems/invalid-request',
  }, problem)
}

export class X {
  name = 'x'
  token = crypto.randomBytes(24).toString('base64url')
  userId = '2244994945'
  posts = []
  users = new Map()
  tokens = new Map()

  constructor(now = () => Date.now()) {
    this.now = now
    this.window = new Window(REQUESTS_MAX, WINDOW_SECONDS, now)
    this.lastId = BigInt(now()) << 20n
    this.handle = (request) => this.answer(request)
  }

  answer(request) {
    const match = request.method === 'GET' && /^\/2\/users\/([^/]+)\/mentions$/.exec(request.path)
    if (!match) throw new Refusal(404, { title: 'Not Found', type: 'about:blank', status: 404, detail: 'Not Found' }, `${request.method} ${request.path} is not documented`)
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      throw new Refusal(401, { title: 'Unauthorized', type: 'about:blank', status: 401, detail: 'Unauthorized' }, 'Authorization: Bearer <token>')
    }
    const fault = findFault([...request.query], MENTIONS_QUERY)
    if (fault) throw invalid(fault)
    if (match[1] !== this.userId) throw invalid({ name: 'id', text: match[1], problem: `The \`id\` query parameter value [${match[1]}] is not valid` })
    const { allowed, remaining, reset } = this.window.take()
    const headers = { 'x-rate-limit-limit': String(REQUESTS_MAX), 'x-rate-limit-remaining': String(remaining), 'x-rate-limit-reset': String(reset / 1000) }
    if (!allowed) throw new Refusal(429, { errors: [{ code: 88, message: 'Rate limit exceeded' }] }, 'the headers had told that the limit is used up', headers)
    return { status: 200, headers, body: this.mentions(request.query) }
  }

  /// Newest first; a page's token stands for the id to go on below.
  mentions(query) {
    const token = query.get('pagination_token')
    if (token && !this.tokens.has(token)) throw invalid({ name: 'pagination_token', text: token, problem: 'pagination_token is not one of ours' })
    const below = token ? this.tokens.get(token) : query.has('until_id') ? BigInt(query.get('until_id')) : null
    const above = query.has('since_id') ? BigInt(query.get('since_id')) : null
    const wanted = this.posts.filter(({ id }) => (below === null || BigInt(id) < below) && (above === null || BigInt(id) > above)).reverse()
    const page = wanted.slice(0, Number(query.get('max_results') ?? 10))
    const meta = { result_count: page.length }
    if (page.length === 0) return { meta }
    Object.assign(meta, { newest_id: page[0].id, oldest_id: page.at(-1).id })
    if (page.length < wanted.length) {
      meta.next_token = crypto.randomBytes(14).toString('hex')
      this.tokens.set(meta.next_token, BigInt(page.at(-1).id))
    }
    const reply = { data: page.map((post) => this.show(post, query)), meta }
    if (query.get('expansions')?.split(',').includes('author_id')) {
      const authors = [...new Set(page.map(({ author_id: author }) => author))]
      reply.includes = { users: authors.map((id) => ({ id, ...this.users.get(id) })) }
    }
    return reply
  }

  /// By default a post has id, text and edit_history_tweet_ids; other fields come when they are asked for.
  show(post, query) {
    const asked = new Set((query.get('tweet.fields') ?? '').split(','))
    const full = { ...post, edit_history_tweet_ids: [post.id] }
    return Object.fromEntries(Object.entries(full).filter(([name]) => ['id', 'text', 'edit_history_tweet_ids'].includes(name) || asked.has(name)))
  }

  mention(text, username = 'paul_martin', name = 'Paul Martin') {
    let author = [...this.users].find(([, user]) => user.username === username)?.[0]
    if (!author) {
      author = String(1_500_000_000 + this.users.size)
      this.users.set(author, { name, username })
    }
    this.lastId += 1n
    const id = String(this.lastId)
    this.posts.push({ id, text, author_id: author, conversation_id: id, created_at: new Date(this.now()).toISOString(), lang: 'fr' })
    return { id }
  }
}
