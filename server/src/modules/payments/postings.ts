import type { Leg, ModuleAccount, Post } from '../ledger/index.ts'

/**
 * How payments are booked: one function per business event, debit first. Accounts whose name ends
 * in clearing or payable return to zero when a story ends.
 */

interface Booking {
  readonly tenantId: string
  readonly transactionId: string
  readonly requestId: string
  readonly at: Date
  /** The payment, so that the ledger finds all that belongs to it. */
  readonly paymentId: string
  readonly amount: bigint
  readonly currency: string
}

/** What the gateway owes us, or we owe it. */
export function gatewayClearing(
  tenantId: string,
  gatewayId: string,
  currency: string,
  at: Date,
): ModuleAccount {
  return {
    tenantId,
    key: `gateway_clearing:${gatewayId}:${currency}`,
    role: 'gateway_clearing',
    currency,
    name: `Gateway clearing ${gatewayId} ${currency}`,
    at,
  }
}

/** What was taken from recipients for refunds that are on their way. */
export function refundsPayable(tenantId: string, currency: string, at: Date): ModuleAccount {
  return {
    tenantId,
    key: `refunds_payable:${currency}`,
    role: 'refunds_payable',
    currency,
    name: `Refunds payable ${currency}`,
    at,
  }
}

/** Money moves between two accounts of the tenant's customers, at once. Refused when short. */
export function bookPayment(
  booking: Booking,
  { source, recipient }: { source: string; recipient: string },
): Post {
  return post(booking, 'book_payment', source, recipient)
}

/** Returns a book payment: the reverse way, refused when the recipient is short. */
export function bookRefund(
  booking: Booking,
  { source, recipient }: { source: string; recipient: string },
): Post {
  return post(booking, 'book_refund', recipient, source)
}

/** The gateway has taken the money: it owes us, we owe the recipient. A fact, so it is forced. */
export function cardCaptured(
  booking: Booking,
  { clearing, recipient, dedupeKey }: { clearing: string; recipient: string; dedupeKey: string },
): Post {
  return { ...post(booking, 'card_payment', clearing, recipient), dedupeKey, force: true }
}

/** Sets the amount of a refund aside before the gateway is asked. Refused when short. */
export function refundReserved(
  booking: Booking,
  { recipient, payable }: { recipient: string; payable: string },
): Post {
  return post(booking, 'refund_reserved', recipient, payable)
}

/** The gateway has paid the refund out. */
export function refundPaid(
  booking: Booking,
  { payable, clearing, dedupeKey }: { payable: string; clearing: string; dedupeKey: string },
): Post {
  return { ...post(booking, 'card_refund', payable, clearing), dedupeKey, force: true }
}

/** The refund failed: what was set aside is the recipient's again. */
export function refundReleased(
  booking: Booking,
  { payable, recipient, dedupeKey }: { payable: string; recipient: string; dedupeKey: string },
): Post {
  return { ...post(booking, 'refund_released', payable, recipient), dedupeKey, force: true }
}

function post(booking: Booking, type: string, debit: string, credit: string): Post {
  const { paymentId, amount, currency, ...rest } = booking
  const legs: readonly Leg[] = [
    { accountId: debit, currency, amount },
    { accountId: credit, currency, amount: -amount },
  ]
  return { kind: 'post', ...rest, type, module: 'payments', correlationId: paymentId, legs }
}
