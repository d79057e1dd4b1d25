// A small PNG, made here so that no binary file lies in the repository: https://www.w3.org/TR/png-3/ chapters 5 and 11.
import { crc32, deflateSync } from 'node:zlib'

const SIDE = 96

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  body.copy(framed, 4)
  framed.writeUInt32BE(crc32(body) >>> 0, framed.length - 4)
  return framed
}

/// A square with a red disc on green, 8 bit RGB.
export function picture() {
  const rows = Buffer.alloc(SIDE * (1 + 3 * SIDE))
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const inside = (x - SIDE / 2) ** 2 + (y - SIDE / 2) ** 2 < (SIDE / 3) ** 2
      rows.set(inside ? [200, 30, 40 + y] : [30, 120 + (x % 32), 60], y * (1 + 3 * SIDE) + 1 + 3 * x)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIDE, 0)
  header.writeUInt32BE(SIDE, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}
