import type { Db } from '../../platform/db/types.ts'
import type { Page } from '../../platform/page.ts'
import { holdState } from './lock-books.ts'
import type { HoldRow } from './lock.queries.ts'
import type { HoldState } from './posting.ts'

export async function findHold(
  db: Db,
  tenantId: string,
  holdId: string,
): Promise<HoldState | undefined> {
  const row = await holds(db, tenantId).where('h.hold_id', '=', holdId).executeTakeFirst()
  return row === undefined ? undefined : stateOf(row)
}

export interface HoldFilters {
  readonly status?: HoldState['status']
  readonly accountId?: string
  readonly correlationId?: string
  /** Bounds of the hold's id: `from <= id < until`. */
  readonly from?: string
  readonly until?: string
}

/** One more than the page holds, in order of opening. */
export async function listHolds(
  db: Db,
  tenantId: string,
  filters: HoldFilters,
  page: Page,
): Promise<HoldState[]> {
  const { accountId } = filters
  const query = filtered(holds(db, tenantId), filters, page)
  if (accountId === undefined) return (await query.execute()).map(stateOf)
  // A list per side, each in the order of its index: an `or` would sort all holds of a busy account.
  const sides = await Promise.all([
    query.where('h.debit_account_id', '=', accountId).execute(),
    query.where('h.credit_account_id', '=', accountId).execute(),
  ])
  const rows = sides.flat().toSorted((one, other) => (one.hold_id < other.hold_id ? -1 : 1))
  const ordered = page.order === 'asc' ? rows : rows.toReversed()
  return ordered.slice(0, page.limit + 1).map(stateOf)
}

function holds(db: Db, tenantId: string) {
  return db.selectFrom('ledger.holds as h').selectAll('h').where('h.tenant_id', '=', tenantId)
}

function filtered(
  query: ReturnType<typeof holds>,
  { status, correlationId, from, until }: HoldFilters,
  { limit, order, after }: Page,
): ReturnType<typeof holds> {
  let narrowed = query.orderBy('h.hold_id', order).limit(limit + 1)
  if (status !== undefined) narrowed = narrowed.where('h.status', '=', status)
  if (correlationId !== undefined) narrowed = narrowed.where('h.correlation_id', '=', correlationId)
  if (from !== undefined) narrowed = narrowed.where('h.hold_id', '>=', from)
  if (until !== undefined) narrowed = narrowed.where('h.hold_id', '<', until)
  const [last] = after ?? []
  return last === undefined
    ? narrowed
    : narrowed.where('h.hold_id', order === 'asc' ? '>' : '<', last)
}

function stateOf(row: object): HoldState {
  return holdState(row as HoldRow)
}
