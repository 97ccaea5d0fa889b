import type { Tx } from '../../platform/db/types.ts'
import { publicId } from '../../platform/ids.ts'
import { type AccountType, endHolding, insertHoldings } from './holder.queries.ts'

export interface Holding {
  readonly tenantId: string
  /** Of the ledger, with the role `customer_funds`. */
  readonly accountId: string
  /** Several parties may hold one account. */
  readonly partyId: string
  readonly type?: AccountType
  /** As printed on statements. Default: the end of the account's id. */
  readonly number?: string
  readonly at: Date
}

/** Says whose accounts these are. Done again it changes nothing. */
export async function assignHolders(tx: Tx, holdings: readonly Holding[]): Promise<void> {
  if (holdings.length === 0) return
  await insertHoldings(
    tx,
    holdings.map((holding) => ({
      ...holding,
      type: holding.type ?? 'current',
      number: holding.number ?? numberOf(holding.accountId),
    })),
  )
}

/** The account is no longer this party's: from the commit on no consent of the party reaches it. */
export async function endHoldings(
  tx: Tx,
  { tenantId, accountId, partyId, at }: Pick<Holding, 'tenantId' | 'accountId' | 'partyId' | 'at'>,
): Promise<void> {
  await endHolding(tx, tenantId, { partyId, accountId, at })
}

/** The number of an account that was given none. */
export function numberOf(accountId: string): string {
  return publicId('acc', accountId).slice(-10).toUpperCase()
}
