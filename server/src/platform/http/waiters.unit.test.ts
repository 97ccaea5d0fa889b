import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Wait, type WaitedObject, createWaiters } from './waiters.ts'

/** Waiters over a time and a database that the test owns. */
function given(versions: Record<string, number> = {}) {
  const asked: WaitedObject[][] = []
  const errors: unknown[] = []
  let time = 0
  let pending: (() => void)[] = []
  const database = { versions, failing: false, answering: true }
  const waiters = createWaiters({
    versionsOf: async (objects) => {
      asked.push([...objects])
      if (database.failing) throw new Error('connection lost')
      if (!database.answering) await new Promise(() => undefined)
      return new Map(Object.entries(database.versions))
    },
    onError: (error) => errors.push(error),
    now: () => time,
    schedule: (tick) => {
      pending.push(tick)
      return {}
    },
  })
  /** One tick of 200 ms and what follows from it. */
  async function tick(): Promise<void> {
    time += 200
    const due = pending
    pending = []
    for (const one of due) one()
    await new Promise(setImmediate)
  }
  return { ...waiters, tick, asked, errors, database, scheduled: () => pending.length }
}

const wait: Wait = {
  tenantId: 't-1',
  objectId: 'p-1',
  version: 1,
  clientId: 'cli_1',
  timeoutMs: 1_000,
}

test('a change that another process committed is found by the next tick', async () => {
  const world = given({ 'p-1': 1 })
  const end = world.wait(wait)
  await world.tick()
  world.database.versions['p-1'] = 2
  await world.tick()
  assert.equal(await end, 'changed')
})

test('a commit of this process wakes its waiters at once, and only them', async () => {
  const world = given({ 'p-1': 1, 'p-2': 1 })
  const one = world.wait(wait)
  const same = world.wait(wait)
  const other = world.wait({ ...wait, objectId: 'p-2' })
  world.wake(['p-1'])
  assert.deepEqual(await Promise.all([one, same]), ['changed', 'changed'])
  assert.equal(await Promise.race([other, Promise.resolve('waits')]), 'waits')
  world.close()
})

test('all waited objects are asked for in one query per tick, each once', async () => {
  const world = given({ 'p-1': 1, 'p-2': 1 })
  for (const objectId of ['p-1', 'p-1', 'p-2']) void world.wait({ ...wait, objectId })
  await world.tick()
  await world.tick()
  assert.equal(world.asked.length, 2)
  assert.deepEqual(
    world.asked[0]?.map(({ objectId }) => objectId),
    ['p-1', 'p-2'],
  )
  world.close()
})

test('a wait ends at its deadline, and nothing is asked for when nobody waits', async () => {
  const world = given({ 'p-1': 1 })
  const end = world.wait({ ...wait, timeoutMs: 300 })
  await world.tick()
  await world.tick()
  assert.equal(await end, 'timeout')
  assert.equal(world.scheduled(), 0)
  assert.equal(world.asked.length, 1)
})

test('a database that does not answer delays no deadline and is asked once only', async () => {
  const world = given({ 'p-1': 1 })
  world.database.answering = false
  const end = world.wait(wait)
  for (let tick = 0; tick < 5; tick += 1) await world.tick()
  assert.equal(await end, 'timeout')
  assert.equal(world.asked.length, 1)
})

test('a query that fails is told and asked again', async () => {
  const world = given({ 'p-1': 2 })
  world.database.failing = true
  const end = world.wait(wait)
  await world.tick()
  assert.equal(world.errors.length, 1)
  world.database.failing = false
  await world.tick()
  assert.equal(await end, 'changed')
})

test('a client holds at most 20 places, and its places come back', async () => {
  const world = given()
  const held = Array.from({ length: 20 }, (_, index) =>
    world.wait({ ...wait, objectId: `p-${index}` }),
  )
  assert.equal(await world.wait(wait), 'full')
  const other = world.wait({ ...wait, clientId: 'cli_2', objectId: 'q' })
  world.wake(['p-3'])
  assert.equal(await held[3], 'changed')
  const again = world.wait({ ...wait, objectId: 'p-3' })
  world.close()
  assert.equal(await again, 'closing')
  assert.equal(await other, 'closing')
})

test('a process holds at most 2,000 waits', async () => {
  const world = given()
  for (let index = 0; index < 2_000; index += 1) {
    void world.wait({ ...wait, clientId: `cli_${index % 100}`, objectId: `p-${index}` })
  }
  assert.equal(await world.wait({ ...wait, clientId: 'late' }), 'full')
  world.close()
})

test('a client that hangs up gives its place back', async () => {
  const world = given()
  const gone = new AbortController()
  const end = world.wait({ ...wait, signal: gone.signal })
  gone.abort()
  assert.equal(await end, 'timeout')
  await world.tick()
  assert.equal(world.asked.length, 0)
  assert.equal(await world.wait({ ...wait, signal: gone.signal }), 'timeout')
})

test('a strained process holds nobody', async () => {
  const waiters = createWaiters({
    versionsOf: async () => new Map(),
    onError: (error) => assert.fail(String(error)),
    isStrained: () => true,
  })
  assert.equal(await waiters.wait(wait), 'full')
})

test('closing ends all waits, and later ones at once', async () => {
  const world = given()
  const ends = Array.from({ length: 20 }, () => world.wait(wait))
  world.close()
  assert.deepEqual(new Set(await Promise.all(ends)), new Set(['closing']))
  assert.equal(await world.wait(wait), 'closing')
})
