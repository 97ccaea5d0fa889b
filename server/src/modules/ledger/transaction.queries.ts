import { statement } from '../../platform/db/statement.ts'
import type { Db } from '../../platform/db/types.ts'
import type { Page } from '../../platform/page.ts'
import { sql } from 'kysely'
import type { BookedEntry, Transaction } from './posting.ts'

/** Reads of transactions. They never change, so two statements see what one would. */

export interface TransactionFilters {
  readonly type?: string
  readonly accountId?: string
  readonly externalId?: string
  readonly correlationId?: string
  /** Bounds of the transaction's id: `from <= id < until`. */
  readonly from?: string
  readonly until?: string
}

/** A transaction with the place of its entry in the list that it was found in. */
export interface ListedTransaction extends Transaction {
  readonly place: readonly string[]
}

export async function findTransaction(
  db: Db,
  tenantId: string,
  transactionId: string,
): Promise<Transaction | undefined> {
  const rows = await headers(db, tenantId).where('t.transaction_id', '=', transactionId).execute()
  return (await withEntries(db, tenantId, rows))[0]
}

/** One more than the page holds, by id: in order of arrival. */
export async function listTransactions(
  db: Db,
  tenantId: string,
  filters: TransactionFilters,
  page: Page,
): Promise<ListedTransaction[]> {
  if (filters.accountId !== undefined) {
    return await listOfAccount(db, tenantId, { ...filters, accountId: filters.accountId }, page)
  }
  const { limit, order, after } = page
  let query = filtered(headers(db, tenantId), filters)
    .orderBy('t.transaction_id', order)
    .limit(limit + 1)
  const [last] = after ?? []
  if (last !== undefined) query = query.where('t.transaction_id', order === 'asc' ? '>' : '<', last)
  const found = await withEntries(db, tenantId, await query.execute())
  return found.map((transaction) => ({ ...transaction, place: [transaction.transactionId] }))
}

/**
 * By the account's own entries, in the order in which it was booked upon: the index of entries leads
 * there, while a search by id would read the whole tenant for a rare account.
 */
async function listOfAccount(
  db: Db,
  tenantId: string,
  filters: TransactionFilters & { readonly accountId: string },
  { limit, order, after }: Page,
): Promise<ListedTransaction[]> {
  const { accountId } = filters
  let query = filtered(
    headers(db, tenantId).innerJoin('ledger.entries as e', (join) =>
      join
        .onRef('e.tenant_id', '=', 't.tenant_id')
        .onRef('e.transaction_id', '=', 't.transaction_id'),
    ),
    filters,
  )
    .select(['e.seq', micros('e.booked_at').as('entry_micros')])
    .where('e.tenant_id', '=', tenantId)
    .where('e.account_id', '=', accountId)
    // An account may appear twice in a transaction, which is listed once.
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('ledger.entries as x')
            .select('x.seq')
            .whereRef('x.tenant_id', '=', 'e.tenant_id')
            .whereRef('x.account_id', '=', 'e.account_id')
            .whereRef('x.booked_at', '=', 'e.booked_at')
            .whereRef('x.transaction_id', '=', 'e.transaction_id')
            .whereRef('x.seq', '<', 'e.seq'),
        ),
      ),
    )
    .orderBy('e.booked_at', order)
    .orderBy('e.seq', order)
    .limit(limit + 1)
  const [bookedMicros, seq] = after ?? []
  if (bookedMicros !== undefined && seq !== undefined) {
    const place = sql<boolean>`(e.booked_at, e.seq) ${sql.raw(order === 'asc' ? '>' : '<')} (${atMicros(bookedMicros)}, ${seq}::bigint)`
    query = query.where(place)
  }
  const rows = await query.execute()
  const found = await withEntries(db, tenantId, rows)
  return found.map((transaction, index) => {
    const row = rows[index] as (typeof rows)[number]
    return { ...transaction, place: [`${row.entry_micros}`, `${row.seq}`] }
  })
}

/** Microseconds since 1970: a `Date` would cut them to milliseconds. */
export function micros(column: string) {
  return sql<bigint>`(extract(epoch from ${sql.ref(column)}) * 1000000)::bigint`
}

export function atMicros(text: string) {
  return sql<Date>`'epoch'::timestamptz + ${text}::bigint * interval '1 microsecond'`
}

function headers(db: Db, tenantId: string) {
  return db
    .selectFrom('ledger.transactions as t')
    .where('t.tenant_id', '=', tenantId)
    .select([
      't.tenant_id',
      't.transaction_id',
      't.type',
      't.effective_on',
      't.currency',
      't.amount',
      't.correlation_id',
      't.hold_id',
      't.reverses_transaction_id',
      't.corrects_transaction_id',
      't.external_id',
      't.description',
      't.metadata',
      micros('t.booked_at').as('booked_micros'),
    ])
}

type Headers = ReturnType<typeof headers>

function filtered<Query extends Pick<Headers, 'where'>>(
  query: Query,
  { type, externalId, correlationId, from, until }: TransactionFilters,
): Query {
  let narrowed = query as unknown as Headers
  if (type !== undefined) narrowed = narrowed.where('t.type', '=', type)
  if (externalId !== undefined) narrowed = narrowed.where('t.external_id', '=', externalId)
  if (correlationId !== undefined) narrowed = narrowed.where('t.correlation_id', '=', correlationId)
  if (from !== undefined) narrowed = narrowed.where('t.transaction_id', '>=', from)
  if (until !== undefined) narrowed = narrowed.where('t.transaction_id', '<', until)
  return narrowed as unknown as Query
}

type HeaderRow = Awaited<ReturnType<Headers['execute']>>[number]

async function withEntries(
  db: Db,
  tenantId: string,
  rows: readonly HeaderRow[],
): Promise<Transaction[]> {
  const ids = rows.map((row) => row.transaction_id)
  const entries = ids.length === 0 ? [] : (await selectEntries(db, tenantId, ids)).rows
  const byTransaction = Map.groupBy(entries, (row) => row.transaction_id)
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    transactionId: row.transaction_id,
    type: row.type,
    effectiveOn: row.effective_on,
    bookedMicros: row.booked_micros,
    currency: row.currency,
    amount: row.amount,
    correlationId: row.correlation_id,
    holdId: row.hold_id,
    reverses: row.reverses_transaction_id,
    corrects: row.corrects_transaction_id,
    externalId: row.external_id,
    description: row.description,
    metadata: row.metadata as Record<string, string>,
    entries: (byTransaction.get(row.transaction_id) ?? []).map(entryOf),
  }))
}

interface EntryRow {
  readonly transaction_id: string
  readonly account_id: string
  readonly currency: string
  readonly amount: bigint
  readonly seq: bigint
  readonly balance_after: bigint
  readonly normal_side: 'debit' | 'credit'
}

const selectEntries = statement<EntryRow>(`
  select e.transaction_id, e.account_id, e.currency, e.amount, e.seq, e.balance_after, b.normal_side
  from unnest($2::uuid[]) as u (id)
  cross join lateral (
    select * from ledger.entries e where e.tenant_id = $1 and e.transaction_id = u.id
  ) e
  join ledger.balances b on b.tenant_id = e.tenant_id and b.account_id = e.account_id`)

function entryOf(row: EntryRow): BookedEntry {
  return {
    accountId: row.account_id,
    currency: row.currency,
    amount: row.amount,
    seq: row.seq,
    balanceAfter: row.balance_after,
    normalSide: row.normal_side,
  }
}
