import type { Asked } from '../../platform/command.ts'
import type { ModuleAccount, OpenHold, Post } from '../ledger/index.ts'

/** How transfers are booked. What leaves the bank waits on a clearing line, which is to return to zero. */

interface Moved {
  readonly transferId: string
  /** Of the transaction, or of the hold. */
  readonly id: string
  readonly amount: bigint
  readonly currency: string
  readonly from: string
  readonly to: string
}

/** Money moves between two accounts of customers, at once. Refused when short. */
export function bookTransfer(
  { tenantId, requestId, at }: Asked<unknown>,
  { transferId, id, amount, currency, from, to }: Moved,
): Post {
  return {
    kind: 'post',
    tenantId,
    requestId,
    at,
    transactionId: id,
    type: 'transfer',
    module: 'banking',
    correlationId: transferId,
    legs: [
      { accountId: from, currency, amount },
      { accountId: to, currency, amount: -amount },
    ],
  }
}

/** Sets the amount of a transfer aside until a bank takes it. Refused when short. */
export function holdTransfer(
  { tenantId, requestId, at }: Asked<unknown>,
  { transferId, id, amount, currency, from, to }: Moved,
): OpenHold {
  return {
    kind: 'hold',
    tenantId,
    requestId,
    at,
    holdId: id,
    debitAccountId: from,
    creditAccountId: to,
    currency,
    amount,
    correlationId: transferId,
  }
}

/** Where transfers wait that leave the bank. */
export function outgoingClearing(tenantId: string, currency: string, at: Date): ModuleAccount {
  return {
    tenantId,
    key: outgoingKey(currency),
    role: 'bank_clearing',
    currency,
    name: `Outgoing transfers ${currency}`,
    at,
  }
}

export function outgoingKey(currency: string): string {
  return `bank_clearing:outgoing:${currency}`
}
