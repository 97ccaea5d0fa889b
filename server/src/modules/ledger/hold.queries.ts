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
  return row === undefined ? undefined : holdState(row as HoldRow)
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
  { status, accountId, correlationId, from, until }: HoldFilters,
  { limit, order, after }: Page,
): Promise<HoldState[]> {
  let query = holds(db, tenantId)
    .orderBy('h.hold_id', order)
    .limit(limit + 1)
  if (status !== undefined) query = query.where('h.status', '=', status)
  if (correlationId !== undefined) query = query.where('h.correlation_id', '=', correlationId)
  if (from !== undefined) query = query.where('h.hold_id', '>=', from)
  if (until !== undefined) query = query.where('h.hold_id', '<', until)
  if (accountId !== undefined) {
    query = query.where(({ or, eb }) =>
      or([eb('h.debit_account_id', '=', accountId), eb('h.credit_account_id', '=', accountId)]),
    )
  }
  const [last] = after ?? []
  if (last !== undefined) query = query.where('h.hold_id', order === 'asc' ? '>' : '<', last)
  return (await query.execute()).map((row) => holdState(row as HoldRow))
}

function holds(db: Db, tenantId: string) {
  return db.selectFrom('ledger.holds as h').selectAll('h').where('h.tenant_id', '=', tenantId)
}
