import type { Asked, Command } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { newId } from '../../platform/ids.ts'
import { openAccounts } from '../ledger/index.ts'
import { type AttemptRow, type ClaimedAttempt, lockAttempts } from './attempt.queries.ts'
import { type CaptureRow, lockCaptures } from './capture.queries.ts'
import type { GatewayOutcome, InquiryOutcome } from './connectors/connector.ts'
import { type Failure, failureOf } from './connectors/failure-codes.ts'
import { nextLook } from './inquiry-schedule.ts'
import {
  type Changes,
  type Moment,
  moveCapture,
  movePayment,
  moveRefund,
  openChanges,
  touchPayment,
  writeChanges,
} from './payment-changes.ts'
import { type PaymentRow, lockPayments } from './payment.queries.ts'
import { paymentStates } from './payment.states.ts'
import {
  cardCaptured,
  gatewayClearing,
  refundPaid,
  refundReleased,
  refundsPayable,
} from './postings.ts'
import { type RefundRow, lockRefunds } from './refund.queries.ts'

/** What a gateway answered. `lost`: it knows nothing, and sending again is not safe. */
export interface GatewayReply {
  readonly outcome: Exclude<GatewayOutcome | InquiryOutcome, { kind: 'not_found' }> | 'lost'
  /** True after a send, false after an inquiry. */
  readonly sent: boolean
}

/**
 * Commits what gateways answered: the attempt, and what it means for its payment, capture or refund.
 * A reply whose lease was taken over meanwhile is dropped: whoever holds the lease asks again.
 */
export const recordReplies: Command<ReplyToAttempt, 'recorded' | 'stale', Held> = {
  name: 'record_gateway_replies',
  lock,
  run,
}

export interface ReplyToAttempt {
  readonly attempt: ClaimedAttempt
  readonly reply: GatewayReply
}

type Request = Asked<ReplyToAttempt>

interface Held {
  readonly payments: ReadonlyMap<string, PaymentRow>
  readonly captures: ReadonlyMap<string, CaptureRow>
  readonly refunds: ReadonlyMap<string, RefundRow>
  readonly attempts: ReadonlyMap<string, AttemptRow>
  readonly accounts: ReadonlyMap<string, string>
}

const AUTHORIZATION_DAYS = 7 // the shortest that card schemes promise

async function lock(tx: Tx, requests: readonly Request[]): Promise<Held> {
  const tenantId = requests[0]?.tenantId as string
  const attempts = requests.map(({ input }) => input.attempt)
  const subjects = (kind: string) =>
    attempts.filter((row) => row.subject_kind === kind).map((row) => row.subject_id)
  const accounts = await openAccounts(tx, requests.flatMap(accountsOf))
  const [payments, captures, refunds, locked] = await Promise.all([
    lockPayments(
      tx,
      attempts.map((row) => ({ tenantId, id: row.payment_id })),
    ),
    lockCaptures(tx, tenantId, subjects('capture')),
    lockRefunds(tx, tenantId, subjects('refund')),
    lockAttempts(
      tx,
      tenantId,
      attempts.map(({ id }) => id),
    ),
  ])
  return { payments, captures, refunds, attempts: locked, accounts }
}

function accountsOf({ tenantId, at, input: { attempt } }: Request) {
  return [
    gatewayClearing(tenantId, attempt.gateway_id, attempt.currency, at),
    refundsPayable(tenantId, attempt.currency, at),
  ]
}

async function run(
  tx: Tx,
  requests: readonly Request[],
  held: Held,
): Promise<Outcome<'recorded' | 'stale'>[]> {
  const changes = openChanges()
  const outcomes = requests.map((request) => accept(record(changes, held, request)))
  await writeChanges(tx, changes)
  return outcomes
}

function record(changes: Changes, held: Held, request: Request): 'recorded' | 'stale' {
  const { attempt: claimed, reply } = request.input
  const attempt = held.attempts.get(claimed.id)
  if (attempt === undefined || attempt.lease_no !== claimed.lease_no) return 'stale'
  changes.attempts.add(attempt)
  if (reply.sent) attempt.sends += 1
  else attempt.inquiry_count += 1
  const subject = subjectOf(changes, held, attempt, request)
  const { outcome } = reply
  if (outcome === 'lost') {
    leaveToPerson(attempt, subject, 'the gateway knows nothing of it and a second send is not safe')
    return 'recorded'
  }
  switch (outcome.kind) {
    case 'succeeded': {
      const { echoed, reference } = outcome
      attempt.gateway_reference = reference
      attempt.echoed_amount = echoed.amount
      attempt.echoed_currency = echoed.currency
      close(attempt, 'succeeded', request.at)
      const asAsked = echoed.amount === attempt.amount && echoed.currency === attempt.currency
      if (asAsked) subject.succeeded()
      else subject.contradicted('amount_mismatch')
      break
    }
    case 'declined':
      attempt.failure = outcome.failure
      attempt.gateway_reference = outcome.reference ?? attempt.gateway_reference
      close(attempt, 'declined', request.at)
      subject.failed(outcome.failure)
      break
    case 'pending':
      attempt.gateway_reference = outcome.reference ?? attempt.gateway_reference
      lookAgain(attempt, subject, 'pending', request.at)
      if (attempt.due_at !== null) subject.accepted()
      break
    case 'not_sent':
      attempt.cause = outcome.cause
      sendLater(attempt, subject, outcome.retryAfterMs ?? 0, request.at)
      break
    case 'unknown':
      attempt.cause = outcome.cause
      // A failed inquiry takes nothing back of what the gateway has said before.
      lookAgain(attempt, subject, claimed.status === 'pending' ? 'pending' : 'unknown', request.at)
      break
  }
  return 'recorded'
}

function close(attempt: AttemptRow, status: 'succeeded' | 'declined', at: Date): void {
  attempt.status = status
  attempt.answered_at = at
  attempt.closed_at = at
  attempt.due_at = null
}

function lookAgain(
  attempt: AttemptRow,
  subject: Subject,
  state: 'pending' | 'unknown',
  now: Date,
): void {
  const since = attempt.sent_at ?? attempt.created_at
  attempt.status = state
  attempt.due_at = nextLook(state, { count: attempt.inquiry_count, since, now }) ?? null
  if (attempt.due_at === null) subject.overdue('outcome_unknown')
}

function sendLater(attempt: AttemptRow, subject: Subject, retryAfterMs: number, now: Date): void {
  const count = attempt.sends - 1
  const next = nextLook('not_sent', { count, since: attempt.created_at, now })
  attempt.status = 'not_sent'
  if (next === undefined) {
    const failure = failureOf('gateway_unavailable')
    attempt.failure = failure
    attempt.closed_at = now
    attempt.due_at = null
    subject.failed(failure) // safe: it is proven that nothing was sent
    return
  }
  attempt.due_at = new Date(Math.max(next.getTime(), now.getTime() + retryAfterMs))
}

function leaveToPerson(attempt: AttemptRow, subject: Subject, cause: string): void {
  attempt.status = 'unknown'
  attempt.cause = cause
  attempt.due_at = null
  subject.overdue('outcome_unknown')
}

/** What an attempt is made for, and what its end means there. */
interface Subject {
  succeeded(): void
  failed(failure: Failure): void
  accepted(): void
  /** Past its deadline: a person must decide. */
  overdue(reason: string): void
  /** The gateway says what cannot be. */
  contradicted(reason: string): void
}

function subjectOf(changes: Changes, held: Held, attempt: AttemptRow, request: Request): Subject {
  const payment = held.payments.get(attempt.payment_id)
  if (payment === undefined) throw new Error(`attempt ${attempt.id} has no payment`)
  const context: Context = { changes, held, attempt, payment, moment: request }
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
  readonly held: Held
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

function account(held: Held, { tenantId, key }: { tenantId: string; key: string }): string {
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
