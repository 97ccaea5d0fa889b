import { sql } from 'kysely'
import { statement } from '../../platform/db/statement.ts'
import type { Db } from '../../platform/db/types.ts'
import type { Page } from '../../platform/page.ts'
import { atMicros, micros } from './transaction.queries.ts'

/** Reads over the entries of one account. They become visible in the order of `booked_at, seq`. */

export interface EntryFilters {
  readonly from?: string
  readonly until?: string
}

export interface AccountEntryRow {
  readonly account_id: string
  readonly transaction_id: string
  readonly seq: bigint
  readonly amount: bigint
  readonly currency: string
  /** Debits less credits. */
  readonly balance_after: bigint
  readonly effective_on: string
  readonly booked_micros: bigint
  readonly normal_side: 'debit' | 'credit'
  readonly type: string
  readonly description: string | null
  readonly correlation_id: string | null
}

/** One more than the page holds. */
export async function listEntries(
  db: Db,
  tenantId: string,
  { accountId, from, until }: EntryFilters & { readonly accountId: string },
  { limit, order, after }: Page,
): Promise<AccountEntryRow[]> {
  let query = db
    .selectFrom('ledger.entries as e')
    .innerJoin('ledger.balances as b', (join) =>
      join.onRef('b.tenant_id', '=', 'e.tenant_id').onRef('b.account_id', '=', 'e.account_id'),
    )
    .innerJoin('ledger.transactions as t', (join) =>
      join
        .onRef('t.tenant_id', '=', 'e.tenant_id')
        .onRef('t.transaction_id', '=', 'e.transaction_id'),
    )
    .where('e.tenant_id', '=', tenantId)
    .where('e.account_id', '=', accountId)
    .select([
      'e.account_id',
      'e.transaction_id',
      'e.seq',
      'e.amount',
      'e.currency',
      'e.balance_after',
      'e.effective_on',
      'b.normal_side',
      't.type',
      't.description',
      't.correlation_id',
      micros('e.booked_at').as('booked_micros'),
    ])
    .orderBy('e.booked_at', order)
    .orderBy('e.seq', order)
    .limit(limit + 1)
  if (from !== undefined) query = query.where('e.booked_at', '>=', sql<Date>`${from}::timestamptz`)
  if (until !== undefined) query = query.where('e.booked_at', '<', sql<Date>`${until}::timestamptz`)
  const [booked, seq] = after ?? []
  if (booked !== undefined && seq !== undefined) {
    const place = sql<boolean>`(e.booked_at, e.seq) ${sql.raw(order === 'asc' ? '>' : '<')} (${atMicros(booked)}, ${seq}::bigint)`
    query = query.where(place)
  }
  return await query.$castTo<AccountEntryRow>().execute()
}

export interface BalanceAsOfRow {
  readonly currency: string
  readonly normal_side: 'debit' | 'credit'
  /** Debits less credits. */
  readonly net: bigint
  readonly entries: bigint
  readonly final: boolean
}

/**
 * What was booked by an instant: the running balance of the last entry by then. Entries of the last
 * 30 seconds may still be joined by others whose commit is on its way.
 */
export async function findBookedBalance(
  db: Db,
  tenantId: string,
  { accountId, asOf }: { accountId: string; asOf: string },
): Promise<BalanceAsOfRow | undefined> {
  return (await selectBookedBalance(db, tenantId, accountId, asOf)).rows[0]
}

const selectBookedBalance = statement<BalanceAsOfRow>(`
  select b.currency, b.normal_side, coalesce(e.balance_after, 0) as net, coalesce(e.seq, 0) as entries,
         $3::timestamptz < clock_timestamp() - interval '30 seconds' as final
  from ledger.balances b
  left join lateral (
    select n.balance_after, n.seq from ledger.entries n
    where n.tenant_id = b.tenant_id and n.account_id = b.account_id and n.booked_at <= $3::timestamptz
    order by n.booked_at desc, n.seq desc limit 1
  ) e on true
  where b.tenant_id = $1 and b.account_id = $2`)

/**
 * What is in effect at the end of a day, whenever it was booked: the sum of all entries up to it.
 * Final once the day is closed; until then a backdated entry may change it.
 */
export async function findEffectiveBalance(
  db: Db,
  tenantId: string,
  { accountId, day }: { accountId: string; day: string },
): Promise<BalanceAsOfRow | undefined> {
  return (await selectEffectiveBalance(db, tenantId, accountId, day)).rows[0]
}

const selectEffectiveBalance = statement<BalanceAsOfRow>(`
  select b.currency, b.normal_side, e.net, e.entries, $3::date <= k.closed_through as final
  from ledger.balances b
  join ledger.books k on k.tenant_id = b.tenant_id
  cross join lateral (
    select coalesce(sum(n.amount), 0)::bigint as net, count(*) as entries from ledger.entries n
    where n.tenant_id = b.tenant_id and n.account_id = b.account_id and n.effective_on <= $3::date
  ) e
  where b.tenant_id = $1 and b.account_id = $2`)
