import { type Kysely, type RawBuilder, sql } from 'kysely'
import { statement } from '../../platform/db/statement.ts'
import type { DB } from '../../platform/db/types.ts'
import type { Page } from '../../platform/page.ts'
import type { HistoryFilters } from './history.filters.ts'
import type {
  DetailedRow,
  FlatRow,
  HistoryEntry,
  HistoryHead,
  HistoryPayment,
  HistoryRow,
  HistorySides,
} from './history-row.ts'

/** What the owners publish; nothing else of theirs is read here. */
export type Views = Kysely<
  Pick<DB, 'ledger.report_transactions' | 'ledger.report_entries' | 'payments.report_payments'>
>

/** Which rows, in which order, and how many of them at most. */
export type Stretch = Pick<Page, 'order' | 'after'> & { readonly limit: number }

/** Where a list goes on after this row: `Page.after`. */
export function placeOf(row: HistoryHead): readonly string[] {
  return row.seq === undefined ? [row.transaction_id] : [row.booked_at, `${row.seq}`]
}

export async function listDetailed(
  tx: Views,
  tenantId: string,
  filters: HistoryFilters,
  stretch: Stretch,
): Promise<DetailedRow[]> {
  const rows = await listRows(tx, tenantId, filters, stretch)
  const ids = rows.map((row) => row.transaction_id)
  const entries = rows.length === 0 ? [] : (await selectEntries(tx, tenantId, ids)).rows
  const byTransaction = Map.groupBy(entries, (entry) => entry.transaction_id)
  return rows.map((row) => ({ ...row, entries: byTransaction.get(row.transaction_id) ?? [] }))
}

export async function listFlat(
  tx: Views,
  tenantId: string,
  filters: HistoryFilters,
  stretch: Stretch,
): Promise<FlatRow[]> {
  const rows = await listRows(tx, tenantId, filters, stretch)
  const pairs = rows.filter((row) => row.entry_count === 2)
  const ids = pairs.map((row) => row.transaction_id)
  const sides = pairs.length === 0 ? [] : (await selectSides(tx, tenantId, ids)).rows
  const byTransaction = new Map(sides.map((row) => [row.transaction_id, row]))
  return rows.map((row) => ({ ...row, sides: byTransaction.get(row.transaction_id) }))
}

async function listRows(
  tx: Views,
  tenantId: string,
  filters: HistoryFilters,
  stretch: Stretch,
): Promise<HistoryRow[]> {
  const { rows } = await selectHeads(tenantId, filters, stretch).execute(tx)
  const named = [...new Set(rows.flatMap((row) => row.correlation_id ?? []))]
  const payments = named.length === 0 ? [] : (await selectPayments(tx, tenantId, named)).rows
  const byPaymentId = new Map(payments.map((payment) => [payment.payment_id, payment]))
  return rows.map((row) => ({ ...row, payment: byPaymentId.get(row.correlation_id ?? '') }))
}

/**
 * The statement of a list. Each way in is an index in the order of the list, so that a page costs what
 * it shows and not what there is:
 *
 *   no way of its own   transactions by id
 *   an account          its entries in the order of booking
 *   a payment           transactions by correlation and id
 *   a reference         the one or two unique keys that it can be
 *   reversed            the unique index of reversals, which is ordered by what they reverse
 */
export function selectHeads(
  tenantId: string,
  filters: HistoryFilters,
  { order, after, limit }: Stretch,
): RawBuilder<HistoryHead> {
  const { accountId } = filters
  const way = accountId === undefined ? byId(tenantId, filters) : byAccount(tenantId, accountId)
  const direction = sql.raw(order)
  const beyond = sql.raw(order === 'desc' ? '<' : '>')
  const conditions = [
    ...way.conditions,
    ...way.after(after, beyond),
    ...conditionsOf(tenantId, filters, way),
  ]
  return sql<HistoryHead>`
    select t.transaction_id, t.type, t.effective_on, t.amount, t.currency, t.description, t.external_id,
           t.correlation_id, t.reverses_transaction_id, t.reversed_by_transaction_id, t.metadata, t.entry_count,
           to_char(t.booked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as booked_at ${way.columns}
    from ${way.source}
    where t.tenant_id = ${tenantId} and ${sql.join(conditions, sql` and `)}
    order by ${sql.join(way.keys.map((key) => sql`${key} ${direction}`))}
    limit ${limit}`
}

type Condition = RawBuilder<unknown>

/** How rows are found: where they are read from, and by which keys they are ordered. */
interface Way {
  readonly source: RawBuilder<unknown>
  readonly columns: RawBuilder<unknown>
  readonly keys: readonly RawBuilder<unknown>[]
  /** The column by which ids and instants bound the scan. */
  readonly id: RawBuilder<unknown>
  readonly bookedAt: RawBuilder<unknown>
  readonly conditions: readonly Condition[]
  after(place: readonly string[] | undefined, beyond: RawBuilder<unknown>): Condition[]
}

function byId(tenantId: string, { status }: HistoryFilters): Way {
  const reversed = status === 'reversed'
  const id = sql.ref(reversed ? 'r.reverses_transaction_id' : 't.transaction_id')
  return {
    source: reversed
      ? sql`ledger.report_transactions r join ledger.report_transactions t
            on t.tenant_id = r.tenant_id and t.transaction_id = r.reverses_transaction_id`
      : sql`ledger.report_transactions t`,
    columns: sql``,
    keys: [id],
    id,
    bookedAt: sql.ref('t.booked_at'),
    conditions: reversed ? [sql`r.tenant_id = ${tenantId}`, sql`${id} is not null`] : [sql`true`],
    after: (place, beyond) => (place === undefined ? [] : [sql`${id} ${beyond} ${place[0]}::uuid`]),
  }
}

// An account may appear twice in a transaction, which is listed once: at its first entry. Asked as a
// scalar subquery, so that no plan gathers all entries of the account to find out.
function byAccount(tenantId: string, accountId: string): Way {
  return {
    source: sql`ledger.report_entries e join ledger.report_transactions t
                on t.tenant_id = e.tenant_id and t.transaction_id = e.transaction_id`,
    columns: sql`, e.seq`,
    keys: [sql.ref('e.booked_at'), sql.ref('e.seq')],
    id: sql.ref('t.transaction_id'),
    bookedAt: sql.ref('e.booked_at'),
    conditions: [
      sql`e.tenant_id = ${tenantId}`,
      sql`e.account_id = ${accountId}`,
      sql`e.seq = (select min(x.seq) from ledger.report_entries x
                    where x.tenant_id = e.tenant_id and x.transaction_id = e.transaction_id
                      and x.account_id = e.account_id)`,
    ],
    after: ([bookedAt, seq] = [], beyond) =>
      bookedAt === undefined
        ? []
        : [sql`(e.booked_at, e.seq) ${beyond} (${bookedAt}::timestamptz, ${seq}::bigint)`],
  }
}

function conditionsOf(
  tenantId: string,
  filters: HistoryFilters,
  { id, bookedAt }: Way,
): Condition[] {
  const { types, status, accountId, paymentId, reference, currency } = filters
  const conditions: Condition[] = []
  const add = (value: unknown, condition: Condition) => {
    if (value !== undefined) conditions.push(condition)
  }
  add(filters.bookedFrom, sql`${bookedAt} >= ${filters.bookedFrom}::timestamptz`)
  add(filters.bookedBefore, sql`${bookedAt} < ${filters.bookedBefore}::timestamptz`)
  if (accountId === undefined) {
    add(filters.idFrom, sql`${id} >= ${filters.idFrom}::uuid`)
    add(filters.idBefore, sql`${id} < ${filters.idBefore}::uuid`)
  }
  add(filters.effectiveFrom, sql`t.effective_on >= ${filters.effectiveFrom}::date`)
  add(filters.effectiveTo, sql`t.effective_on <= ${filters.effectiveTo}::date`)
  if (types.length > 0) conditions.push(sql`t.type = any(${[...types]}::text[])`)
  if (status === 'posted') conditions.push(sql`t.reversed_by_transaction_id is null`)
  if (status === 'reversed' && accountId !== undefined) {
    conditions.push(sql`t.reversed_by_transaction_id is not null`)
  }
  add(paymentId, sql`t.correlation_id = ${paymentId}::uuid`)
  add(currency, sql`t.currency = ${currency}`)
  add(filters.amountFrom, sql`t.amount >= ${filters.amountFrom}::bigint`)
  add(filters.amountTo, sql`t.amount <= ${filters.amountTo}::bigint`)
  if (reference !== undefined) conditions.push(isReferredTo(tenantId, reference))
  return conditions
}

function isReferredTo(tenantId: string, reference: string): Condition {
  return sql`t.transaction_id in (
    select own.transaction_id from ledger.report_transactions own
     where own.tenant_id = ${tenantId} and own.external_id = ${reference}
    union all
    select paid.transaction_id from ledger.report_transactions paid
     where paid.tenant_id = ${tenantId} and paid.correlation_id = (
       select p.payment_id from payments.report_payments p
        where p.tenant_id = ${tenantId} and p.external_id = ${reference}))`
}

// A look-up per id probes the index in any plan; a join back to the ids may scan a whole table.
const selectEntries = statement<HistoryEntry>(`
  select e.* from unnest($2::uuid[]) as u (id)
  cross join lateral (
    select e.transaction_id, e.account_id, e.seq, e.currency, e.amount, e.balance_after
    from ledger.report_entries e where e.tenant_id = $1 and e.transaction_id = u.id
  ) e`)

const selectSides = statement<HistorySides>(`
  select d.transaction_id, d.account_id as debit_account_id, c.account_id as credit_account_id
  from unnest($2::uuid[]) as u (id)
  cross join lateral (
    select e.transaction_id, e.account_id from ledger.report_entries e
    where e.tenant_id = $1 and e.transaction_id = u.id and e.amount > 0
  ) d
  cross join lateral (
    select e.account_id from ledger.report_entries e
    where e.tenant_id = $1 and e.transaction_id = u.id and e.amount < 0
  ) c`)

const selectPayments = statement<HistoryPayment>(`
  select p.* from unnest($2::uuid[]) as u (id)
  cross join lateral (
    select p.payment_id, p.status, p.external_id, p.description
    from payments.report_payments p where p.tenant_id = $1 and p.payment_id = u.id
  ) p`)

/** Since when somebody has been writing that has not committed: now, when nobody is. */
export async function findHorizon(tx: Views): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`select ledger.report_horizon() as at`.execute(tx)
  return (rows[0] as { at: Date }).at
}
