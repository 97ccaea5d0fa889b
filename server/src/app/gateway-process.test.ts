import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { freePort, isFree } from '../../test/support/free-port.ts'
import { startGateway } from './gateway-process.ts'
import { ownerOfPort } from './port-owner.ts'

const logger = pino({ level: 'silent' })

test('a gateway that was killed is there again, and gives its port back when it is stopped', async (t) => {
  const dataDir = await givenFolder(t)
  const port = await freePort()
  const gateway = await startGateway({ port, dataDir, logger })
  t.after(() => gateway.stop())
  const first = await ownerOfPort(port)
  assert.equal(first?.name, 'node')
  process.kill(first.pid, 'SIGKILL')
  const deadline = performance.now() + 20_000
  let second = first
  while (second.pid === first.pid && performance.now() < deadline) {
    await sleep(50)
    second = (await ownerOfPort(port)) ?? first
  }
  assert.notEqual(second.pid, first.pid)
  await gateway.stop()
  assert.ok(await isFree(port))
})

test('a gateway that cannot start says why', async (t) => {
  const dataDir = await givenFolder(t)
  const port = await freePort()
  const server = createServer().listen(port, '127.0.0.1')
  t.after(() => server.close())
  await assert.rejects(startGateway({ port, dataDir, logger }), /did not start: .*EADDRINUSE/)
})

async function givenFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'countinghouse-gateway-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
