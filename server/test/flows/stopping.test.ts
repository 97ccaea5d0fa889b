import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { findEmbedded } from '../../src/platform/postgres/index.ts'
import { clientOf } from '../support/gateway-client.ts'
import { givenDataDirectory } from '../support/data-directory.ts'
import { freePort } from '../support/free-port.ts'
import { launch } from '../support/launch.ts'
import { credentialsIn, paymentStatus, postPayment, tokenFrom } from '../support/sandbox-client.ts'

const IN_FLIGHT = 100

test('told to stop with payments in flight, the service answers all of them and forgets none', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const port = await freePort()
  const flags = ['start', '--data', dataDir, '--port', `${port}`]
  const run = launch(t, flags)
  await run.sees('ready in')
  await clientOf(port + 10).set({ latency_ms: [1_500, 2_000] })
  const token = await tokenFrom(dataDir)

  const asked = Array.from({ length: IN_FLIGHT }, () => postPayment(dataDir, token))
  await sleep(1_000) // all are accepted, and wait for a gateway that thinks
  const began = performance.now()
  run.child.kill('SIGTERM')
  const answers = await Promise.all(asked)
  const statuses = new Set(answers.map(({ status }) => status))
  assert.deepEqual([...statuses], [201])
  const payments = (await Promise.all(answers.map((answer) => answer.json()))) as { id: string }[]
  assert.equal(await run.exited, 0, run.stderr())
  t.diagnostic(`${IN_FLIGHT} in flight; ended ${(performance.now() - began).toFixed(0)} ms later`)

  const again = launch(t, flags)
  await again.sees('ready in')
  const { base_url: origin } = credentialsIn(dataDir)
  const fresh = await tokenFrom(dataDir)
  const ends = await Promise.all(payments.map(({ id }) => paymentStatus(origin, fresh, id)))
  assert.deepEqual([...new Set(ends)], ['completed'])
  const client = new pg.Client(await findEmbedded(dataDir))
  await client.connect()
  const { rows } = await client.query(`
    select count(*)::int as booked from ledger.transactions where type <> 'opening_balance'`)
  await client.end()
  assert.deepEqual(rows, [{ booked: IN_FLIGHT }])
})

test('a second signal ends the process at once, and the next start goes on', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const port = await freePort()
  const flags = ['start', '--data', dataDir, '--port', `${port}`]
  const run = launch(t, flags)
  await run.sees('ready in')
  await clientOf(port + 10).set({ latency_ms: [5_000, 5_000] })
  const asked = postPayment(dataDir, await tokenFrom(dataDir))
  await sleep(300)
  run.child.kill('SIGTERM')
  const { id } = (await (await asked).json()) as { id: string }
  await sleep(700) // a second signal that follows at once is the echo of the first
  run.child.kill('SIGINT')
  assert.equal(await run.exited, 1)

  await launch(t, flags).sees('ready in')
  const { base_url: origin } = credentialsIn(dataDir)
  const status = await paymentStatus(origin, await tokenFrom(dataDir), id)
  assert.equal(status, 'completed', 'its lease ran out, and the gateway was asked')
})
