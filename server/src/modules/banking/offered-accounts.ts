import { type AccountRow, listAccounts } from '../ledger/index.ts'
import type { Db } from '../../platform/db/types.ts'
import { masked } from './account.schema.ts'
import { numberOf } from './assign-holders.ts'
import type { Terms } from './consent-terms.ts'
import { type AccountFacts, findAccountFacts, findHoldings } from './holder.queries.ts'
import { CUSTOMER_FUNDS } from './view.ts'

const MAX_OFFERED = 200 // a page that a person can still read

export interface OfferedAccount {
  readonly row: AccountRow
  readonly label: string
  readonly selected: boolean
}

/** The open accounts of a party that a consent on these terms can be about. */
export async function offeredAccounts(
  db: Db,
  { tenantId, partyId }: { readonly tenantId: string; readonly partyId: string },
  { payment, suggested }: Terms,
): Promise<OfferedAccount[]> {
  const holdings = await findHoldings(db, [{ tenantId, partyId }])
  const ids = holdings.map((row) => row.account_id)
  const filters = { ids, role: CUSTOMER_FUNDS, status: 'open' } as const
  const rows = await listAccounts(db, tenantId, filters, { limit: MAX_OFFERED, order: 'asc' })
  const facts = await findAccountFacts(db, tenantId, ids)
  const fitting = rows.filter(
    ({ account_id: id, currency }) =>
      payment === null ||
      (payment.currency === currency &&
        (payment.fromAccountId ?? id) === id &&
        payment.toAccountId !== id),
  )
  return fitting.map((row) => ({
    row,
    label: labelOf(row, facts.get(row.account_id)),
    selected: fitting.length === 1 || suggested.has(row.account_id),
  }))
}

const KINDS = { current: 'Current account', savings: 'Savings account', operating: 'Account' }

/** `Current account ··1234, EUR`. */
export function labelOf(row: AccountRow, facts: AccountFacts | undefined): string {
  const number = masked(facts?.number ?? numberOf(row.account_id))
  return `${KINDS[facts?.type ?? 'current']} ${number}, ${row.currency}`
}
