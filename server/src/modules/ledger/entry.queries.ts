import { sql } from 'kysely'
import { statement } from '../../platform/db/statement.ts'
import type { Db } from '../../platform/db/types.ts'
import type { Page } from '../../platform/page.ts'
import { atMicros, micros } from './transaction.queries.ts'

/** Reads over the entries of one account. They become visible in the order of `booked_at, seq`. */

export interface EntryFilters {
  readonly from?: string
  readonly until?: string
  /** Of an entry, whatever its direction. */
  readonly minAmount?: bigint
  readonly maxAmount?: bigint
  readonly direction?: 'debit' | 'credit'
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
  { accountId, ...filters }: EntryFilters & { readonly accountId: string },
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
  const { from, until, minAmount, maxAmount, direction } = filters
  if (from !== undefined) query = query.where('e.booked_at', '>=', sql<Date>`${from}::timestamptz`)
  if (until !== undefined) query = query.where('e.booked_at', '<', sql<Date>`${until}::timestamptz`)
  if (minAmount !== undefined) query = query.where(sql<boolean>`abs(e.amount) >= ${minAmount}`)
  if (maxAmount !== undefined) query = query.where(sql<boolean>`abs(e.amount) <= ${maxAmount}`)
  if (direction !== undefined)
    query = query.where('e.amount', direction === 'debit' ? '>' : '<', 0n)
  const [booked, seq] = after ?? []
  if (booked !== undefined && seq !== undefined) {
    const place = sql<boolean>`(e.booked_at, e.seq) ${sql.raw(order === 'asc' ? '>' : '<')} (${atMicros(booked)}, ${seq}::bigint)`
    query = query.where(place)
  }
  return await query.$castTo<AccountEntryRow>().execute()
}

export interface BalanceAsOfRow {
  readonly currency: string
  /** Role of its chart line. */
  readonly chart_role: string
  readonly normal_side: 'debit' | 'credit'
  /** Debits less credits. */
  readonly net: bigint
  readonly entries: bigint
  readonly final: boolean
}

export interface BalanceNowRow {
  readonly currency: string
  readonly chart_role: string
  readonly normal_side: 'debit' | 'credit'
  readonly status: 'open' | 'closed'
  readonly min_available: bigint | null
  readonly debits_posted: bigint
  readonly credits_posted: bigint
  readonly debits_pending: bigint
  readonly credits_pending: bigint
  readonly last_seq: bigint
  readonly read_at: Date
}

/** All numbers of an account, of one moment: a posting is in all of them or in none. */
export async function findBalanceNow(
  db: Db,
  tenantId: string,
  accountId: string,
): Promise<BalanceNowRow | undefined> {
  return (await selectBalanceNow(db, tenantId, accountId)).rows[0]
}

const selectBalanceNow = statement<BalanceNowRow>(`
  select currency, chart_role, normal_side, status, min_available, debits_posted, credits_posted,
         debits_pending, credits_pending, last_seq, statement_timestamp() as read_at
  from ledger.balances where tenant_id = $1 and account_id = $2`)

export interface CounterpartRow {
  readonly transaction_id: string
  readonly account_id: string
  readonly name: string
  readonly chart_role: string
}

/** The other accounts in transactions of an account. */
export async function findCounterparts(
  db: Db,
  tenantId: string,
  { accountId, transactionIds }: { accountId: string; transactionIds: readonly string[] },
): Promise<CounterpartRow[]> {
  if (transactionIds.length === 0) return []
  return (await selectCounterparts(db, tenantId, accountId, transactionIds)).rows
}

const selectCounterparts = statement<CounterpartRow>(`
  select distinct e.transaction_id, e.account_id, a.name, b.chart_role
  from unnest($3::uuid[]) as u (transaction_id)
  cross join lateral (
    select n.transaction_id, n.account_id from ledger.entries n
    where n.tenant_id = $1 and n.transaction_id = u.transaction_id and n.account_id <> $2
  ) e
  join ledger.accounts a on a.tenant_id = $1 and a.account_id = e.account_id
  join ledger.balances b on b.tenant_id = $1 and b.account_id = e.account_id`)

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
  select b.currency, b.chart_role, b.normal_side, coalesce(e.balance_after, 0) as net, coalesce(e.seq, 0) as entries,
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
  select b.currency, b.chart_role, b.normal_side, e.net, e.entries, $3::date <= k.closed_through as final
  from ledger.balances b
  join ledger.books k on k.tenant_id = b.tenant_id
  cross join lateral (
    select coalesce(sum(n.amount), 0)::bigint as net, count(*) as entries from ledger.entries n
    where n.tenant_id = b.tenant_id and n.account_id = b.account_id and n.effective_on <= $3::date
  ) e
  where b.tenant_id = $1 and b.account_id = $2`)
