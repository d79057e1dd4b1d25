// Two peers without a vendor: a passage to a real server, and a sink.

/// Passes every request on to a real server and its answer back. Its use are the faults of server.mjs: a request held
/// before it reaches the server, or after the server did what was asked and before the answer goes back.
export class Passage {
  /// @param label what faults may match beside method and path, from the request
  constructor(name, target, label = () => '') {
    Object.assign(this, { name, target, label })
    this.handle = (request) => this.pass(request)
  }

  async pass({ method, path, query, headers, raw }) {
    const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'accept-encoding'].includes(name)))
    const tail = query.size > 0 ? `?${query}` : ''
    const reply = await fetch(this.target + path + tail, {
      method, headers: kept, body: ['GET', 'HEAD'].includes(method) ? undefined : raw, redirect: 'manual',
    })
    const type = reply.headers.get('content-type')
    return { status: reply.status, headers: type ? { 'content-type': type } : {}, body: Buffer.from(await reply.arrayBuffer()) }
  }
}

/// Answers 204 after some milliseconds and counts.
export class Sink {
  name = 'sink'
  received = 0

  constructor(delayMs) {
    this.handle = async () => {
      this.received += 1
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      return { status: 204 }
    }
  }
}
