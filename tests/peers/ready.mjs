// What each peer process shares: loopback only, a free port, one JSON line when ready, a clean end.
import net from 'node:net'
import { createRequire } from 'node:module'

/// Packages live where ./dev installed them (PEER_MODULES), else beside this file.
export const require = createRequire(process.env.PEER_MODULES ? `${process.env.PEER_MODULES}/x.js` : import.meta.url)

/// Some packages listen on every interface and take no address: from here on, each listen() goes to 127.0.0.1.
export function listenOnLoopbackOnly() {
  const listen = net.Server.prototype.listen
  net.Server.prototype.listen = function (first, ...rest) {
    let where = first
    if (typeof first === 'number' || /^\d+$/.test(first)) where = { port: Number(first), host: '127.0.0.1' }
    else if (first && typeof first === 'object' && first.port !== undefined && !first.path) where = { ...first, host: '127.0.0.1' }
    return listen.call(this, where, ...rest.filter((argument) => typeof argument === 'function'))
  }
}

/// Ports that were free a moment ago, all different; for programs that cannot be given port 0.
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise((resolve, reject) => {
      const server = net.createServer().once('error', reject)
      server.listen(0, '127.0.0.1', () => resolve(server))
    })),
  )
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

export function ready(facts, close) {
  console.log(JSON.stringify({ ready: true, pid: process.pid, ...facts }))
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => Promise.resolve(close()).finally(() => process.exit(0)))
}
