// A whole AT Protocol network on loopback: PLC directory, PDS and AppView of their authors' packages.
//   DB_POSTGRES_URL=postgres://... node atproto.mjs
// The database belongs to the AppView; its data and the PDS's files (under TMPDIR) are those of one run: the PLC
// directory is in memory, so a second start finds no identity. Handles end in .test.
import { freePorts, listenOnLoopbackOnly, ready, require } from './ready.mjs'

listenOnLoopbackOnly()
const { TestPlc, TestPds, TestBsky, mockNetworkUtilities } = require('@atproto/dev-env')

const dbPostgresUrl = process.env.DB_POSTGRES_URL
if (!dbPostgresUrl) throw new Error('DB_POSTGRES_URL is not set: the AppView needs a PostgreSQL database of its own')

const [plcPort, pdsPort, appviewPort] = await freePorts(3)
const plc = await TestPlc.create({ port: plcPort })
const appview = await TestBsky.create({
  port: appviewPort,
  plcUrl: plc.url,
  pdsPort,
  repoProvider: `ws://localhost:${pdsPort}`,
  dbPostgresUrl,
  dbPostgresSchema: 'appview',
  publicUrl: `http://localhost:${appviewPort}`,
  labelsFromIssuerDids: [],
})
const pds = await TestPds.create({
  port: pdsPort,
  hostname: 'localhost',
  enableDidDocWithSession: true,
  didPlcUrl: plc.url,
  bskyAppViewUrl: appview.url,
  bskyAppViewDid: appview.ctx.cfg.serverDid,
})
mockNetworkUtilities(pds, appview)

ready({ plc: plc.url, pds: pds.url, appview: appview.url }, async () => {
  await appview.close()
  await pds.close()
  await plc.close()
})
