import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OperationBody } from './gateway.schema.ts'
import { startSandboxGateway } from './server.ts'
import {
  clientOf,
  givenFolder,
  givenGateway,
  type TestClient,
} from '../../test/support/gateway-client.ts'

const main = join(import.meta.dirname, 'main.ts')

/** The gateway as the launcher starts it: a process of its own. Killed when the test ends. */
async function givenProcess(t: TestContext, folder: string, ...flags: string[]) {
  const args = [main, '--port', '0', '--data', folder, '--latency', '0-3', ...flags]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const port = Number(/:(\d+),/.exec(line)?.[1])
  return { child, exited, client: clientOf(port) }
}

function sale(key: string): OperationBody {
  const instrument = { token: 'tok_visa' }
  return { key, operation: 'sale', amount: 100, currency: 'EUR', instrument }
}

/** Sends sales one after the other until the gateway is gone; answers the keys that were answered. */
async function sellUntilDead(client: TestClient, name: string, answered: string[]) {
  for (let count = 0; ; count += 1) {
    const key = `${name}-${count}`
    const { status } = await client.post(sale(key))
    if (status === 0) return key
    assert.equal(status, 200)
    answered.push(key)
  }
}

test('kill -9 under load: every answered operation is found again, and none twice', async (t) => {
  const folder = await givenFolder(t)
  const answered: string[] = []
  const unsure: string[] = []
  for (const round of [1, 2, 3]) {
    const { child, exited, client } = await givenProcess(t, folder)
    const sellers = Array.from({ length: 20 }, (_, at) =>
      sellUntilDead(client, `round-${round}-${at}`, answered),
    )
    await sleep(300)
    child.kill('SIGKILL')
    await exited
    unsure.push(...(await Promise.all(sellers)))
  }
  await appendFile(join(folder, 'journal.ndjson'), '{"n":99999,"kind":"opera') // and a torn line
  const { client } = await givenProcess(t, folder)
  const moved = await client.moved()
  assert.equal(new Set(moved).size, moved.length, 'one effect per key')
  assert.ok(answered.length > 0)
  const found = new Set(moved)
  assert.deepEqual(
    answered.filter((key) => !found.has(key)),
    [],
  )
  for (const key of unsure) assert.equal((await client.post(sale(key))).status, 200)
  assert.deepEqual(
    new Set(await client.moved()),
    new Set([...answered, ...unsure]),
    'sent again under their keys, the unsure ones are one effect each',
  )
})

test('after a restart a key still hears its first answer and money is still spent', async (t) => {
  const folder = await givenFolder(t)
  const first = await givenProcess(t, folder)
  const before = await first.client.post(sale('sold'))
  const refund = { key: 'back', operation: 'refund', currency: 'EUR', parent: 'sold' } as const
  await first.client.post({ ...refund, amount: 60 })
  first.child.kill('SIGKILL')
  await first.exited
  const { client } = await givenProcess(t, folder)
  assert.deepEqual(await client.post(sale('sold')), before)
  assert.equal((await client.post({ ...sale('sold'), amount: 1 })).status, 422)
  const { body } = await client.post({ ...refund, key: 'more', amount: 41 })
  assert.equal(body['code'], 'amount_exceeds_parent')
})

test('a refund that was to settle later settles after a restart', async (t) => {
  const folder = await givenFolder(t)
  const first = await givenProcess(t, folder)
  await first.client.post({ ...sale('sold'), instrument: { token: 'tok_refund_pending' } })
  const refund = { key: 'back', operation: 'refund', parent: 'sold' } as const
  await first.client.post({ ...refund, amount: 100, currency: 'EUR' })
  first.child.kill('SIGKILL')
  await first.exited
  const { client } = await givenProcess(t, folder)
  for (let tries = 0; tries < 300; tries += 1) {
    if ((await client.inquire('back')).body['status'] === 'succeeded') return
    await sleep(20)
  }
  assert.fail('The refund never settled.')
})

test('SIGTERM and the end of the parent stop it with 0; a wrong flag with 2', async (t) => {
  const asked = await givenProcess(t, await givenFolder(t))
  asked.child.kill('SIGTERM')
  assert.deepEqual(await asked.exited, [0, null])
  const orphaned = await givenProcess(t, await givenFolder(t), '--exit-with-parent')
  orphaned.child.stdin.end()
  assert.deepEqual(await orphaned.exited, [0, null])
  const confused = spawn(process.execPath, [main, '--port', 'x'], { stdio: 'ignore' })
  assert.deepEqual(await once(confused, 'exit'), [2, null])
})

test('a second gateway on the port does not touch the journal of the first', async (t) => {
  const { port, folder, client } = await givenGateway(t)
  await client.post(sale('sold'))
  const path = join(folder, 'journal.ndjson')
  await appendFile(path, 'half a line')
  const before = await readFile(path, 'utf8')
  const second = startSandboxGateway({ port, host: '127.0.0.1', journalDir: folder })
  await assert.rejects(second, { code: 'EADDRINUSE' })
  assert.equal(await readFile(path, 'utf8'), before)
})
