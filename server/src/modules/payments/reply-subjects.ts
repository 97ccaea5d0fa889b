import { newId } from '../../platform/ids.ts'
import type { AttemptRow } from './attempt.queries.ts'
import type { CaptureRow } from './capture.queries.ts'
import type { Failure } from './connectors/failure-codes.ts'
import {
  type Changes,
  type Moment,
  moveCapture,
  movePayment,
  moveRefund,
  touchPayment,
} from './payment-changes.ts'
import type { PaymentRow } from './payment.queries.ts'
import { paymentStates } from './payment.states.ts'
import {
  cardCaptured,
  gatewayClearing,
  refundPaid,
  refundReleased,
  refundsPayable,
} from './postings.ts'
import type { RefundRow } from './refund.queries.ts'

/** Rows locked for a batch of replies, by id; accounts by `tenant key`. */
export interface HeldForReplies {
  readonly payments: ReadonlyMap<string, PaymentRow>
  readonly captures: ReadonlyMap<string, CaptureRow>
  readonly refunds: ReadonlyMap<string, RefundRow>
  readonly attempts: ReadonlyMap<string, AttemptRow>
  readonly accounts: ReadonlyMap<string, string>
}

const AUTHORIZATION_DAYS = 7 // the shortest that card schemes promise

/** What an attempt is made for, and what its end means there. */
export interface Subject {
  succeeded(): void
  failed(failure: Failure): void
  accepted(): void
  /** Past its deadline: a person must decide. */
  overdue(reason: string): void
  /** The gateway says what cannot be. */
  contradicted(reason: string): void
}

export function subjectOf(
  changes: Changes,
  held: HeldForReplies,
  attempt: AttemptRow,
  moment: Moment,
): Subject {
  const payment = held.payments.get(attempt.payment_id)
  if (payment === undefined) throw new Error(`attempt ${attempt.id} has no payment`)
  const context: Context = { changes, held, attempt, payment, moment }
  switch (attempt.subject_kind) {
    case 'payment':
      return chargeSubject(context)
    case 'void':
      return voidSubject(context)
    case 'capture':
      return captureSubject(context, mustHave(held.captures, attempt.subject_id))
    case 'refund':
      return refundSubject(context, mustHave(held.refunds, attempt.subject_id))
  }
}

interface Context {
  readonly changes: Changes
  readonly held: HeldForReplies
  readonly attempt: AttemptRow
  readonly payment: PaymentRow
  readonly moment: Moment
}

function chargeSubject(context: Context): Subject {
  const { changes, attempt, payment, moment } = context
  return {
    succeeded() {
      const isSale = attempt.operation === 'sale'
      if (paymentStates.next(payment.state, isSale ? 'succeeded' : 'authorized') === undefined) {
        return review(context, 'contradicted', 'late_success')
      }
      payment.amount_authorized = attempt.amount
      if (!isSale) {
        payment.authorization_expires_at = daysLater(moment.at, AUTHORIZATION_DAYS)
        return movePayment(changes, payment, 'authorized', { as: 'authorized', moment })
      }
      payment.amount_captured = attempt.amount
      bookCapture(context, attempt.amount, payment.id)
      movePayment(changes, payment, 'succeeded', { as: 'completed', moment })
    },
    failed(failure) {
      payment.failure = failure
      movePayment(changes, payment, 'failed', { as: 'failed', moment })
    },
    accepted() {
      if (payment.state !== 'pending') return
      movePayment(changes, payment, 'accepted', { as: 'processing', moment })
    },
    overdue: (reason) => review(context, 'overdue', reason),
    contradicted: (reason) => review(context, 'contradicted', reason),
  }
}

function captureSubject(context: Context, capture: CaptureRow): Subject {
  const { changes, payment, moment } = context
  return {
    succeeded() {
      moveCapture(changes, capture, 'succeeded', moment)
      payment.capture_reserved -= capture.amount
      payment.amount_captured += capture.amount
      bookCapture(context, capture.amount, capture.id)
      const isOver =
        payment.capture_reserved === 0n &&
        (capture.final || payment.amount_captured === payment.amount_authorized)
      if (!isOver) {
        lapseIfOver(context)
        return movePayment(changes, payment, 'captured_part', { as: 'captured', moment })
      }
      payment.capture_closing = false
      payment.authorization_expires_at = null
      movePayment(changes, payment, 'captured', { as: 'completed', moment })
    },
    failed(failure) {
      capture.failure = failure
      moveCapture(changes, capture, 'failed', moment)
      payment.capture_reserved -= capture.amount
      if (capture.final) payment.capture_closing = false
      lapseIfOver(context)
      movePayment(changes, payment, 'attempt_failed', { as: 'attempt_failed', moment })
    },
    accepted() {
      if (capture.status === 'pending') moveCapture(changes, capture, 'accepted', moment)
    },
    overdue() {
      moveCapture(changes, capture, 'overdue', moment)
    },
    contradicted() {
      moveCapture(changes, capture, 'contradicted', moment)
    },
  }
}

function voidSubject(context: Context): Subject {
  const { changes, payment, moment } = context
  return {
    succeeded() {
      payment.capture_closing = false
      payment.authorization_expires_at = null
      if (payment.amount_captured > 0n) {
        return movePayment(changes, payment, 'closed', { as: 'completed', moment })
      }
      movePayment(changes, payment, 'voided', { as: 'canceled', moment })
    },
    failed() {
      payment.capture_closing = false
      payment.cancellation_reason = null
      lapseIfOver(context)
      movePayment(changes, payment, 'attempt_failed', { as: 'attempt_failed', moment })
    },
    accepted: () => undefined,
    overdue: () => review(context, 'contradicted', 'void_unknown'),
    contradicted: (reason) => review(context, 'contradicted', reason),
  }
}

function refundSubject(context: Context, refund: RefundRow): Subject {
  const { changes, held, attempt, payment, moment } = context
  const { tenant_id: tenantId, currency } = refund
  const payable = account(held, refundsPayable(tenantId, currency, moment.at))
  const dedupeKey = `refund:${refund.id}`
  return {
    succeeded() {
      const clearing = account(
        held,
        gatewayClearing(tenantId, attempt.gateway_id, currency, moment.at),
      )
      payment.refund_reserved -= refund.amount
      payment.amount_refunded += refund.amount
      const booking = bookingOf(context, refund.amount)
      refund.ledger_transaction_ids.push(booking.transactionId)
      changes.posts.push(refundPaid(booking, { payable, clearing, dedupeKey }))
      moveRefund(changes, refund, 'succeeded', { as: 'completed', moment })
      touchPayment(changes, payment, moment)
    },
    failed(failure) {
      refund.failure = failure
      payment.refund_reserved -= refund.amount
      const booking = bookingOf(context, refund.amount)
      refund.ledger_transaction_ids.push(booking.transactionId)
      const recipient = payment.recipient_account_id
      changes.posts.push(refundReleased(booking, { payable, recipient, dedupeKey }))
      moveRefund(changes, refund, 'failed', { as: 'failed', moment })
      touchPayment(changes, payment, moment)
    },
    accepted() {
      if (refund.status !== 'pending') return
      moveRefund(changes, refund, 'accepted', { as: 'processing', moment })
    },
    overdue() {
      moveRefund(changes, refund, 'overdue', { as: 'needs_review', moment })
    },
    contradicted() {
      moveRefund(changes, refund, 'contradicted', { as: 'needs_review', moment })
    },
  }
}

/** Its time ran out while this was on its way and the sweep let it pass: now it is due again. */
function lapseIfOver({ payment, moment }: Context): void {
  payment.authorization_expires_at ??= moment.at
}

function review({ changes, payment, moment }: Context, event: string, reason: string): void {
  payment.review_reason = reason
  movePayment(changes, payment, event, { as: 'needs_review', moment })
}

function bookCapture(context: Context, amount: bigint, objectId: string): void {
  const { changes, held, attempt, payment, moment } = context
  const spec = gatewayClearing(payment.tenant_id, attempt.gateway_id, payment.currency, moment.at)
  const booking = bookingOf(context, amount)
  payment.ledger_transaction_ids.push(booking.transactionId)
  changes.posts.push(
    cardCaptured(booking, {
      clearing: account(held, spec),
      recipient: payment.recipient_account_id,
      dedupeKey: `capture:${objectId}`,
    }),
  )
}

function bookingOf({ payment, moment }: Context, amount: bigint) {
  return {
    tenantId: payment.tenant_id,
    transactionId: newId(moment.at),
    requestId: moment.requestId,
    at: moment.at,
    paymentId: payment.id,
    amount,
    currency: payment.currency,
  }
}

function account(
  held: HeldForReplies,
  { tenantId, key }: { tenantId: string; key: string },
): string {
  return mustHave(held.accounts, `${tenantId} ${key}`)
}

function mustHave<Value>(map: ReadonlyMap<string, Value>, key: string): Value {
  const value = map.get(key)
  if (value === undefined) throw new Error(`${key} was not locked`)
  return value
}

function daysLater(at: Date, days: number): Date {
  return new Date(at.getTime() + days * 86_400_000)
}
