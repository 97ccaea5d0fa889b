import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import type { Actor } from '../actor.ts'
import type { Answer } from '../answer.ts'
import type { Asked, Command } from '../command.ts'
import { statement } from '../db/statement.ts'
import type { Tx } from '../db/types.ts'
import { type Outcome, accept, defineErrors } from '../errors.ts'
import { newId } from '../ids.ts'
import { type Batcher, createBatcher } from './batch.ts'
import type { IdempotencyTicket } from './idempotency.queries.ts'

let database: TestDatabase
let batcher: Batcher
before(async () => {
  database = await createTestDatabase()
  batcher = createBatcher(database.pools.money)
})
after(() => database.close())

const tenantId = newId(new Date())
const actor: Actor = {
  kind: 'client',
  tenantId,
  tenantMode: 'sandbox',
  id: 'cli_test',
  scopes: new Set(),
  principal: 'cli_test',
  origin: '127.0.0.1',
}
const refuse = defineErrors({ unlucky: { status: 422, retryable: false, title: 'Unlucky.' } })

interface Order {
  readonly id: string
  readonly does?: 'refuse' | 'break' | 'throw'
}

// A row in a table that is there anyway: a tenant's books, found by the id of the order.
const insertBook = statement(`insert into ledger.books (tenant_id, time_zone) values ($1, $2)`)

/** Writes one row per item; `break` violates a constraint, `throw` is a bug. */
const order: Command<Order, string> = {
  name: 'test_order',
  async run(tx: Tx, requests) {
    batches.push(requests.length)
    const outcomes: Outcome<string>[] = []
    for (const { input } of requests) {
      if (input.does === 'throw') throw new Error('a bug')
      if (input.does !== 'refuse') {
        await insertBook(tx, input.id, input.does === 'break' ? null : 'UTC')
      }
      outcomes.push(input.does === 'refuse' ? refuse('unlucky') : accept(input.id))
    }
    return outcomes
  },
}
const batches: number[] = []

function ask(input: Order): Asked<Order> {
  return { tenantId, actor, requestId: 'req_test', at: new Date(), input }
}

function ticket(key: string, fingerprint = 'ab'.repeat(32)): IdempotencyTicket {
  return { principal: 'cli_test', key, fingerprint, objectId: null }
}

const answer = (outcome: Outcome<string>): Answer =>
  outcome.ok
    ? { status: 201, body: `{"made":"${outcome.value}"}`, location: `/made/${outcome.value}` }
    : { status: outcome.refusal.status, body: `{"code":"${outcome.refusal.code}"}` }

function submit(input: Order, idempotency?: IdempotencyTicket): Promise<Answer> {
  return batcher.submit(order, ask(input), {
    answer,
    ...(idempotency === undefined ? {} : { idempotency }),
  })
}

async function exists(id: string): Promise<boolean> {
  const { rowCount } = await database.pools.read.query(
    `select 1 from ledger.books where tenant_id = '${id}'`,
  )
  return rowCount === 1
}

const fresh = () => newId(new Date())

test('what arrives together runs in one transaction', async () => {
  batches.length = 0
  await Promise.all(Array.from({ length: 40 }, () => submit({ id: fresh() })))
  assert.deepEqual(batches, [40])
})

test('a batch holds at most 500 items', async () => {
  batches.length = 0
  await Promise.all(Array.from({ length: 1_200 }, () => submit({ id: fresh(), does: 'refuse' })))
  assert.ok(batches.every((size) => size <= 500))
  assert.equal(
    batches.reduce((sum, size) => sum + size, 0),
    1_200,
  )
})

test('a refused item leaves its neighbours alone', async () => {
  const ids = [fresh(), fresh(), fresh()] as const
  const answers = await Promise.all([
    submit({ id: ids[0] }),
    submit({ id: ids[1], does: 'refuse' }),
    submit({ id: ids[2] }),
  ])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 422, 201],
  )
})

for (const does of ['break', 'throw'] as const) {
  test(`one item of many that does "${does}" fails alone`, async () => {
    const good = Array.from({ length: 49 }, fresh)
    const all = [
      ...good.slice(0, 20).map((id) => submit({ id })),
      submit({ id: fresh(), does }),
      ...good.slice(20).map((id) => submit({ id })),
    ]
    const results = await Promise.allSettled(all)
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 49)
    assert.equal(results[20]?.status, 'rejected')
    for (const id of good) assert.ok(await exists(id))
  })
}

test('the same key again gets the very bytes of the first answer, and does nothing', async () => {
  const [first, second] = [fresh(), fresh()]
  const made = await submit({ id: first }, ticket('again'))
  const again = await submit({ id: second }, ticket('again'))
  assert.deepEqual(again, { ...made, replayed: true })
  assert.equal(await exists(second), false)
})

test('a refusal is an answer too: it is kept under its key', async () => {
  await submit({ id: fresh(), does: 'refuse' }, ticket('refused'))
  const id = fresh()
  const again = await submit({ id }, ticket('refused'))
  assert.equal(again.status, 422)
  assert.equal(again.replayed, true)
  assert.equal(await exists(id), false)
})

test('a command may withhold the answer to a repetition, also to one that came at once', async () => {
  let isTrusted = true
  const guarded: Command<Order, string> = {
    ...order,
    name: 'test_guarded',
    replayFault: () => (isTrusted ? undefined : refuse('unlucky')),
  }
  const send = (id: string, key: string) =>
    batcher.submit(guarded, ask({ id }), { answer, idempotency: ticket(key) })
  const made = await send(fresh(), 'guarded')
  assert.deepEqual(await send(fresh(), 'guarded'), { ...made, replayed: true })
  isTrusted = false
  const withheld = await send(fresh(), 'guarded')
  assert.deepEqual([withheld.status, withheld.replayed], [422, undefined])
  isTrusted = true
  assert.deepEqual(await send(fresh(), 'guarded'), { ...made, replayed: true })

  isTrusted = false
  const ids = Array.from({ length: 20 }, fresh)
  const storm = await Promise.all(ids.map((id) => send(id, 'guarded-storm')))
  assert.deepEqual(
    storm.map(({ status }) => status),
    ids.map((_, index) => (index === 0 ? 201 : 422)),
  )
  const there = await Promise.all(ids.map(exists))
  assert.equal(there.filter(Boolean).length, 1)
})

test('the same key for another request is refused and does nothing', async () => {
  await submit({ id: fresh() }, ticket('other'))
  const id = fresh()
  const reused = await submit({ id }, ticket('other', 'cd'.repeat(32)))
  assert.equal(reused.status, 422)
  assert.match(reused.body, /idempotency_key_reused/)
  assert.equal(await exists(id), false)
})

test('a hundred at once under one key: one runs, and all get its answer', async () => {
  batches.length = 0
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => submit({ id: fresh() }, ticket('storm'))),
  )
  assert.equal(new Set(answers.map(({ body }) => body)).size, 1)
  assert.equal(answers.filter(({ replayed }) => replayed === true).length, 99)
  assert.deepEqual(batches, [1])
})

test('another request under a key that is being answered is refused at once', async () => {
  const first = submit({ id: fresh() }, ticket('busy'))
  const other = await submit({ id: fresh() }, ticket('busy', 'cd'.repeat(32)))
  assert.match(other.body, /idempotency_key_reused/)
  assert.equal((await first).status, 201)
})

test('the same key on another node waits for the first and replays it', async () => {
  const other = createBatcher(database.pools.due)
  const ids = Array.from({ length: 20 }, () => [fresh(), fresh()] as const)
  const answers = await Promise.all(
    ids.map(([here, there], index) =>
      Promise.all([
        submit({ id: here }, ticket(`node-${index}`)),
        other.submit(order, ask({ id: there }), { answer, idempotency: ticket(`node-${index}`) }),
      ]),
    ),
  )
  for (const [index, [here, there]] of answers.entries()) {
    assert.equal(here.body, there.body)
    assert.equal([here.replayed, there.replayed].filter(Boolean).length, 1)
    const [one, two] = ids[index] as readonly [string, string]
    assert.equal([await exists(one), await exists(two)].filter(Boolean).length, 1)
  }
})

test('another principal and another tenant have keys of their own', async () => {
  await submit({ id: fresh() }, ticket('mine'))
  const theirs = await submit({ id: fresh() }, { ...ticket('mine'), principal: 'cli_other' })
  assert.equal(theirs.replayed, undefined)
  const abroad = newId(new Date())
  const request = { ...ask({ id: fresh() }), tenantId: abroad }
  const foreign = await batcher.submit(order, request, { answer, idempotency: ticket('mine') })
  assert.equal(foreign.replayed, undefined)
})

test('a key whose answer is no longer kept is not run again', async () => {
  const first = fresh()
  await submit({ id: first }, { ...ticket('expired'), objectId: first })
  const { connection } = database
  const pg = await import('pg')
  const owner = new pg.default.Client(connection)
  await owner.connect()
  await owner.query(`delete from platform.idempotency_responses where key = 'expired'`)
  await owner.end()
  const id = fresh()
  const late = await submit({ id }, ticket('expired'))
  assert.match(late.body, /idempotency_key_expired/)
  assert.equal(await exists(id), false)
})

test('tenants of an ordinary command are never mixed in one batch', async () => {
  const seen: string[][] = []
  const watched: Command<Order, string> = {
    name: 'test_watched',
    run(_tx, requests) {
      seen.push(requests.map((request) => request.tenantId))
      return Promise.resolve(requests.map(({ input }) => accept(input.id)))
    },
  }
  const tenants = [newId(new Date()), newId(new Date())]
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const request = { ...ask({ id: fresh() }), tenantId: tenants[index % 2] as string }
      return batcher.perform(watched, request)
    }),
  )
  for (const batch of seen) assert.equal(new Set(batch).size, 1)
  assert.equal(seen.flat().length, 20)
})

test('too much waiting is refused at once, and what waits is still answered', async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  const slow: Command<Order, string> = {
    name: 'test_slow',
    async run(_tx, requests) {
      await opened
      return requests.map(({ input }) => accept(input.id))
    },
  }
  const submitSlow = () => batcher.submit(slow, ask({ id: fresh() }), { answer })
  const waiting = Array.from({ length: 5_000 }, submitSlow)
  const refused = await submitSlow()
  assert.equal(refused.status, 503)
  open()
  const answers = await Promise.all(waiting)
  assert.ok(answers.every(({ status }) => status === 201))
})

test('drain ends when nothing waits and nothing runs', async () => {
  const made = submit({ id: fresh() })
  await batcher.drain()
  assert.equal((await made).status, 201)
})
