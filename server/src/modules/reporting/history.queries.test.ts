import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { bookInBulk } from '../../../test/support/bulk-transactions.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import type { Db } from '../../platform/db/types.ts'
import { firstIdAt } from '../../platform/ids.ts'
import type { HistoryFilters } from './history.filters.ts'
import { placeOf, listFlat, selectHeads } from './history.queries.ts'

const tenantId = randomUUID()
const BEGIN = new Date('2026-11-01T00:00:00Z')
let database: TestDatabase
let db: Db

before(async () => {
  database = await createTestDatabase()
  db = databaseOver(database.pools.read)
  await bookInBulk(database.connection, { tenantId, count: 20_000, accounts: 20, from: BEGIN })
})
after(() => database.close())

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/** What a page of 50 does, nodes flattened. */
async function planOf(filters: HistoryFilters, order: 'asc' | 'desc', after?: readonly string[]) {
  const page = { order, limit: 51, ...(after !== undefined && { after }) }
  const { rows } = await sql<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>`
    explain (analyze, format json) ${selectHeads(tenantId, filters, page)}`.execute(db)
  const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)]
  return flat(rows[0]?.['QUERY PLAN'][0]?.Plan as PlanNode)
}

async function someAccount(): Promise<string> {
  const { rows } = await sql<{ account_id: string }>`
    select account_id from ledger.balances where tenant_id = ${tenantId} limit 1`.execute(db)
  return rows[0]?.account_id ?? ''
}

async function somePayment(): Promise<string> {
  const { rows } = await sql<{ id: string }>`
    select id from payments.payments where tenant_id = ${tenantId} and external_id = 'order-10000'`.execute(
    db,
  )
  return rows[0]?.id ?? ''
}

const noon = '2026-11-01T00:00:10.000003Z'
const ways: [what: string, filters: () => Promise<Partial<HistoryFilters>>, index: string][] = [
  ['everything', async () => ({}), 'transactions_pkey'],
  ['a type', async () => ({ types: ['transfer'] }), 'transactions_pkey'],
  ['what is posted', async () => ({ status: 'posted' }), 'transactions_pkey'],
  ['an amount', async () => ({ amountFrom: 200n, amountTo: 60_000n }), 'transactions_pkey'],
  ['a currency', async () => ({ currency: 'EUR' }), 'transactions_pkey'],
  ['a business day', async () => ({ effectiveFrom: '2026-11-01' }), 'transactions_pkey'],
  [
    'a range of time',
    async () => ({
      bookedFrom: noon,
      idFrom: firstIdAt(new Date(Date.parse(noon))),
      bookedBefore: '2026-11-01T00:00:15Z',
      idBefore: firstIdAt(new Date(Date.parse(noon) + 5_500)),
    }),
    'transactions_pkey',
  ],
  ['an account', async () => ({ accountId: await someAccount() }), 'entries_pkey'],
  [
    'an account in a range of time',
    async () => ({ accountId: await someAccount(), bookedFrom: noon }),
    'entries_pkey',
  ],
  ['a payment', async () => ({ paymentId: await somePayment() }), 'transactions_correlation'],
  ['what was reversed', async () => ({ status: 'reversed' }), 'transactions_reverses'],
  ['a reference', async () => ({ reference: 'transfer-7777' }), 'transactions_external_id'],
  ['a reference of a payment', async () => ({ reference: 'order-8888' }), 'payments_external_id'],
]
for (const [what, filters, index] of ways) {
  for (const order of ['desc', 'asc'] as const) {
    test(`a page of ${what} is read from ${index} and touches no more rows than it must, ${order}`, async () => {
      const asked = { types: [], ...(await filters()) }
      const nodes = await planOf(asked, order)
      const scans = nodes.filter((node) => node['Relation Name'] !== undefined)
      assert.deepEqual(
        scans.filter((node) => node['Node Type'] === 'Seq Scan'),
        [],
      )
      assert.ok(
        nodes.some((node) => node['Index Name'] === index),
        nodes.map((node) => node['Index Name'] ?? node['Node Type']).join(', '),
      )
      for (const node of nodes) {
        const touched =
          node['Actual Rows'] * node['Actual Loops'] + (node['Rows Removed by Filter'] ?? 0)
        assert.ok(touched <= 1_000, `${node['Node Type']} touched ${touched} rows`)
      }
    })
  }
}

test('a page deep inside is read from where it begins', async () => {
  const filters = { types: [] }
  const middle = (await listFlat(db, tenantId, filters, { order: 'desc', limit: 10_000 })).at(-1)
  assert.ok(middle !== undefined)
  const nodes = await planOf(filters, 'desc', placeOf(middle))
  assert.ok(nodes.every((node) => node['Actual Rows'] * node['Actual Loops'] <= 100))
})

test('the service reads the published views and changes nothing through them', async () => {
  const views = ['ledger.report_transactions', 'ledger.report_entries', 'payments.report_payments']
  for (const view of views) {
    for (const act of [`delete from ${view}`, `update ${view} set tenant_id = tenant_id`]) {
      await assert.rejects(database.pools.money.query(act), { code: '42501' })
    }
  }
})
