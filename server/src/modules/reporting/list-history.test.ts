import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { bookInBulk } from '../../../test/support/bulk-transactions.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import type { Db } from '../../platform/db/types.ts'
import { newId } from '../../platform/ids.ts'
import type { Page } from '../../platform/page.ts'
import { findHorizon, placeOf } from './history.queries.ts'
import { listHistory } from './list-history.ts'

const SETTLED = 4 // transactions of an hour ago
const tenantId = randomUUID()
let database: TestDatabase
let db: Db

before(async () => {
  database = await createTestDatabase()
  db = databaseOver(database.pools.read)
  const from = new Date(Date.now() - 3_600_000)
  await bookInBulk(database.connection, { tenantId, count: SETTLED, accounts: 2, from })
})
after(() => database.close())

/** A connection in the middle of writing one transaction, whose id is of now. */
async function beginWriting(): Promise<{ id: string; commit: () => Promise<void> }> {
  const client = new pg.Client(database.connection)
  await client.connect()
  const id = newId(new Date())
  await client.query('begin')
  await client.query(
    `insert into ledger.transactions (tenant_id, transaction_id, type, effective_on, booked_at, entry_count, currency, amount)
     values ($1, $2, 'late', current_date, clock_timestamp(), 2, 'EUR', 5)`,
    [tenantId, id],
  )
  await client.query(
    `insert into ledger.entries (tenant_id, account_id, booked_at, seq, transaction_id, currency, amount, balance_after, effective_on)
     select t.tenant_id, b.account_id, t.booked_at, 9, t.transaction_id, 'EUR',
            case row_number() over (order by b.account_id) when 1 then 5 else -5 end, 0, current_date
       from ledger.transactions t join ledger.balances b on b.tenant_id = t.tenant_id
      where t.tenant_id = $1 and t.transaction_id = $2`,
    [tenantId, id],
  )
  return {
    id,
    async commit() {
      await client.query('commit')
      await client.end()
    },
  }
}

async function book(): Promise<string> {
  const { id, commit } = await beginWriting()
  await commit()
  return id
}

async function read(page: Page): Promise<{ ids: string[]; next: readonly string[] | undefined }> {
  const { rows, page: shown } = await listHistory(db, tenantId, { types: [] }, page)
  const visible = rows.slice(0, shown.limit)
  const last = visible.at(-1)
  return {
    ids: visible.map((row) => row.transaction_id),
    next: rows.length > shown.limit && last !== undefined ? placeOf(last) : undefined,
  }
}

test('the horizon is now while nobody writes, and the start of whoever does', async () => {
  const asked = Date.now()
  assert.ok((await findHorizon(db)).getTime() >= asked - 1)
  const slow = await beginWriting()
  const begun = Date.now()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const horizon = (await findHorizon(db)).getTime()
  await slow.commit()
  assert.ok(horizon <= begun, `${horizon} is after ${begun}`)
  assert.ok((await findHorizon(db)).getTime() > begun)
})

test('no ascending cursor passes what somebody is still writing', async () => {
  const first = await read({ order: 'asc', limit: SETTLED })
  assert.equal(first.ids.length, SETTLED)
  const after = first.next
  assert.ok(after !== undefined, 'the transaction of the test before is beyond this page')

  const late = await beginWriting()
  const overtaking = [await book(), await book()]
  const ahead = await read({ order: 'asc', limit: 2, after })
  assert.ok(!overtaking.includes(ahead.ids.at(-1) ?? ''), 'the page stops before them')
  assert.ok(ahead.next === undefined || ahead.next[0]! < late.id)
  const newest = await read({ order: 'desc', limit: 2 })
  assert.deepEqual(newest.ids, overtaking.toReversed(), 'newest first shows them at once')

  await late.commit()
  const whole = await read({ order: 'asc', limit: 50, after })
  assert.deepEqual(whole.ids.slice(-3), [late.id, ...overtaking])
  const paged: string[] = []
  let cursor: readonly string[] | undefined = after
  while (cursor !== undefined) {
    const page = await read({ order: 'asc', limit: 1, after: cursor })
    paged.push(...page.ids)
    cursor = page.next
  }
  assert.deepEqual(paged, whole.ids, 'none is skipped, none comes twice')
})
