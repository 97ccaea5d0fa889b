import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CompiledQuery } from 'kysely'
import type { Pool } from 'pg'
import { databaseOver } from '../../platform/db/dialect.ts'
import type { Db, Tx } from '../../platform/db/types.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { listAccounts } from './account-list.queries.ts'
import { findBookedBalance, listEntries } from './entry.queries.ts'
import { listHolds } from './hold.queries.ts'
import {
  findBalances,
  findDedupeKeys,
  findExternalIds,
  findOriginals,
  findReversals,
  findTransactionIds,
  lockBalances,
  lockHolds,
  shareBooks,
} from './lock.queries.ts'
import { listTransactions } from './transaction.queries.ts'

/**
 * The plans of the hot statements on a populated table, under the settings of the pool that runs
 * them, generic and custom: each pair is one probe of an index, however many pairs a batch has.
 */
const ACCOUNTS = 20_000
const TENANTS = 20
let world: LedgerWorld
let tenantId: string
let pairs: { tenantId: string; id: string }[]

before(async () => {
  world = await startLedgerWorld()
  tenantId = world.tenantId
  await populate()
  const rows = await world.query<{ account_id: string }>(
    `select account_id from ledger.balances where tenant_id = $1 limit 500`,
    [tenantId],
  )
  const [server] = await world.query<{ server_version_num: string }>('show server_version_num')
  if (Number(server?.server_version_num) < 160_000) modes = ['custom'] // 15 cannot explain the other
  pairs = rows.map((row) => ({ tenantId, id: row.account_id }))
})
after(() => world?.close())

/** One large tenant and some small ones; two entries to each account, and a hold. */
async function populate(): Promise<void> {
  const many = `select t.id as tenant, gen_random_uuid() as id, n, (n::text || ' ' || t.o) as name
    from (select '${tenantId}'::uuid as id, 0 as o, ${ACCOUNTS} as c
          union all select gen_random_uuid(), o, 100 from generate_series(1, ${TENANTS}) o) t
    cross join lateral generate_series(1, t.c) n`
  await world.asOwner(
    'set session_replication_role = replica',
    `create temp table many as ${many}`,
    `insert into ledger.accounts (tenant_id, account_id, chart_code, name, external_id, created_at)
       select tenant, id, case when n % 100 = 0 then '1010' else '2010' end, name, name, now() from many`,
    `insert into ledger.balances (tenant_id, account_id, currency, normal_side, chart_role)
       select tenant, id, 'EUR', 'credit', 'customer_funds' from many`,
    `insert into ledger.transactions (tenant_id, transaction_id, type, effective_on, booked_at, entry_count, currency,
       amount, external_id, dedupe_key)
       select tenant, id, 'x', '2026-11-23', now(), 2, 'EUR', 1, name, name from many`,
    ...[1, 2].map(
      (
        seq,
      ) => `insert into ledger.entries (tenant_id, account_id, booked_at, seq, transaction_id, currency, amount,
         balance_after, effective_on) select tenant, id, now() + n * interval '1 ms', ${seq}, id, 'EUR', 1, 1, '2026-11-23' from many`,
    ),
    `insert into ledger.holds (tenant_id, hold_id, debit_account_id, credit_account_id, currency, amount, status, created_at)
       select tenant, id, id, id, 'EUR', 1, 'pending', now() from many`,
    `insert into ledger.books (tenant_id, time_zone) select distinct tenant, 'UTC' from many on conflict do nothing`,
    'analyze ledger.accounts, ledger.balances, ledger.transactions, ledger.entries, ledger.holds, ledger.books',
  )
}

/** What a query function would send, without sending it. */
async function sentBy(run: (db: never) => Promise<unknown>): Promise<CompiledQuery[]> {
  const sent: CompiledQuery[] = []
  const listening = {
    executeQuery: (query: CompiledQuery) => {
      sent.push(query)
      return Promise.resolve({ rows: [], numAffectedRows: 0n })
    },
  }
  await run(listening as never)
  return sent
}

type Mode = 'generic' | 'custom'
let modes: readonly Mode[] = ['generic', 'custom']

/** The plan as text: without the values, as a prepared statement runs; or made for these values. */
async function planOf(pool: Pool, { sql, parameters }: CompiledQuery, mode: Mode): Promise<string> {
  const text = mode === 'generic' ? `explain (generic_plan) ${sql}` : `explain ${sql}`
  const values = mode === 'generic' ? [] : [...parameters]
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(text, values)
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}

const names = () => pairs.map(({ id }, index) => ({ tenantId, id: `${index} ${id}` }))
const hot: [string, (tx: Tx, count: number) => Promise<unknown>][] = [
  ['lockBalances', (tx, count) => lockBalances(tx, pairs.slice(0, count))],
  ['findBalances', (tx, count) => findBalances(tx, pairs.slice(0, count))],
  ['lockHolds', (tx, count) => lockHolds(tx, pairs.slice(0, count))],
  ['findOriginals', (tx, count) => findOriginals(tx, pairs.slice(0, count))],
  ['findExternalIds', (tx, count) => findExternalIds(tx, names().slice(0, count))],
  ['findDedupeKeys', (tx, count) => findDedupeKeys(tx, names().slice(0, count))],
  ['findReversals', (tx, count) => findReversals(tx, pairs.slice(0, count))],
  ['findTransactionIds', (tx, count) => findTransactionIds(tx, pairs.slice(0, count))],
  ['shareBooks', (tx) => shareBooks(tx, [tenantId])],
]

for (const [name, run] of hot) {
  test(`${name} probes an index per pair, at 1, 50 and 500`, async () => {
    for (const count of [1, 50, 500]) {
      const [query] = await sentBy((tx) => run(tx, count))
      assert.ok(query !== undefined)
      for (const mode of modes) {
        const plan = await planOf(world.database.pools.money, query, mode)
        const told = `${name} ${count} ${mode}\n${plan}`
        assert.match(plan, /Index (Only )?Scan/, told)
        assert.doesNotMatch(plan, /Seq Scan|Hash Join|Merge Join|Bitmap/, told)
      }
    }
  })
}

const page = { limit: 50, order: 'desc' as const }
const reads: [string, (db: Db) => Promise<unknown>][] = [
  ['a page of entries', (db) => listEntries(db, tenantId, { accountId: account() }, page)],
  [
    'a later page of entries',
    (db) => listEntries(db, tenantId, { accountId: account() }, { ...page, after: ['1', '1'] }),
  ],
  [
    'a balance as of an instant',
    (db) => findBookedBalance(db, tenantId, { accountId: account(), asOf: '2026-11-23T00:00:00Z' }),
  ],
  ['a page of transactions', (db) => listTransactions(db, tenantId, {}, page)],
  [
    'the transactions of an account',
    (db) => listTransactions(db, tenantId, { accountId: account() }, page),
  ],
  ['a page of accounts', (db) => listAccounts(db, tenantId, {}, page)],
  ['the accounts of a role', (db) => listAccounts(db, tenantId, { role: 'bank' }, page)],
  ['the holds of an account', (db) => listHolds(db, tenantId, { accountId: account() }, page)],
]
const account = () => pairs[0]?.id as string

for (const [name, run] of reads) {
  test(`${name} is read in the order of an index`, async () => {
    const { read } = world.database.pools
    const queries = await queriesOf(run)
    assert.ok(queries.length > 0)
    for (const query of queries) {
      const plan = await planOf(read, query, 'custom')
      assert.doesNotMatch(plan, /Seq Scan on (entries|transactions|balances|accounts|holds)/, plan)
      assert.doesNotMatch(plan, /(^|\n)\s*(->)?\s*Sort .*\n/, plan)
    }
  })
}

/** The builder's queries need its own compiler, so they are caught on their way to the pool. */
async function queriesOf(run: (db: Db) => Promise<unknown>): Promise<CompiledQuery[]> {
  const sent: CompiledQuery[] = []
  const pool = {
    connect: () =>
      Promise.resolve({
        query: ({ text, values }: { text: string; values: unknown[] }) => {
          sent.push({ sql: text, parameters: values } as unknown as CompiledQuery)
          return Promise.resolve({ rows: [], rowCount: 0 })
        },
        release: () => undefined,
      }),
  }
  await run(databaseOver(pool as unknown as Pool))
  return sent
}
