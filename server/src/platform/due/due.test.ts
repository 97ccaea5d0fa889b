import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { systemClock } from '../clock.ts'
import { databaseOver } from '../db/dialect.ts'
import type { Tx } from '../db/types.ts'
import { type DueQueue, startDue } from './due.ts'

let database: TestDatabase
let db: Tx
before(async () => {
  database = await createTestDatabase()
  db = databaseOver(database.pools.due)
})
after(() => database.close())

interface Row {
  readonly tenantId: string
  readonly name: number
}

/** A queue in memory: what matters here is who is asked for how much, and when. */
function queueOf(rows: Row[], maxInFlight: number) {
  const claims: { tenants: readonly string[]; limit: number; got: number }[] = []
  const done: Row[] = []
  const released: Row[] = []
  let running = 0
  let most = 0
  let gate = Promise.resolve()
  const queue: DueQueue<Row> = {
    name: 'test',
    maxInFlight,
    tenants: () => Promise.resolve([...new Set(rows.map(({ tenantId }) => tenantId))]),
    claim(_db, tenants, { limit }) {
      const share = Math.ceil(limit / Math.max(1, tenants.length))
      const got = tenants
        .flatMap((id) => rows.filter(({ tenantId }) => tenantId === id).slice(0, share))
        .slice(0, limit)
      for (const row of got) rows.splice(rows.indexOf(row), 1)
      if (tenants.length > 0) claims.push({ tenants, limit, got: got.length })
      return Promise.resolve(got)
    },
    async work(row) {
      running += 1
      most = Math.max(most, running)
      await gate
      await sleep(1)
      running -= 1
      done.push(row)
    },
    release(_db, given) {
      released.push(...given)
      return Promise.resolve()
    },
  }
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    return resolve
  }
  return { queue, claims, done, released, hold, most: () => most }
}

const settings = { clock: systemClock, onError: (error: unknown) => assert.fail(String(error)) }
const many = (tenantId: string, count: number): Row[] =>
  Array.from({ length: count }, (_, name) => ({ tenantId, name }))

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !isTrue(); tries += 1) await sleep(10)
  assert.ok(isTrue())
}

test('a wake-up starts work at once, without waiting for the poll', async () => {
  const { queue, done } = queueOf(many('a', 5), 64)
  const runner = startDue(db, queue, settings)
  runner.wake('a')
  await sleep(60)
  assert.equal(done.length, 5)
  await runner.stop()
})

test('what nobody announced is found by polling', async () => {
  const { queue, done } = queueOf(many('a', 3), 64)
  const runner = startDue(db, queue, settings)
  await until(() => done.length === 3)
  await runner.stop()
})

test('never more is begun than the queue allows, and all of it is done in the end', async () => {
  const { queue, done, most, claims } = queueOf(many('a', 200), 8)
  const runner = startDue(db, queue, settings)
  runner.wake('a')
  await until(() => done.length === 200)
  assert.equal(most(), 8)
  assert.ok(claims.length < 100, `${claims.length} claims for 200 rows`)
  await runner.stop()
})

test("one tenant's flood leaves another its share of the first claim", async () => {
  const { queue, claims, done } = queueOf([...many('flood', 500), ...many('small', 4)], 8)
  const runner = startDue(db, queue, settings)
  runner.wake('flood')
  runner.wake('small')
  await until(() => done.filter(({ tenantId }) => tenantId === 'small').length === 4)
  assert.deepEqual(claims[0]?.tenants, ['flood', 'small'])
  assert.ok(done.length < 40, `${done.length} rows were done before the small tenant's four`)
  await runner.stop()
})

test('stopping waits for what was begun and claims no more', async () => {
  const { queue, done, hold } = queueOf(many('a', 100), 4)
  const open = hold()
  const runner = startDue(db, queue, settings)
  runner.wake('a')
  await sleep(30)
  const stopped = runner.stop()
  assert.equal(done.length, 0)
  open()
  await stopped
  assert.equal(done.length, 4)
})

test('a row whose work throws is reported, and the others go on', async () => {
  const { queue, done } = queueOf(many('a', 4), 64)
  const errors: unknown[] = []
  const failing: DueQueue<Row> = {
    ...queue,
    work: (row, signal) =>
      row.name === 1 ? Promise.reject(new Error('one')) : queue.work(row, signal),
  }
  const runner = startDue(db, failing, { ...settings, onError: (error) => errors.push(error) })
  runner.wake('a')
  await until(() => done.length === 3)
  assert.equal(errors.length, 1)
  await runner.stop()
})
