import { actOf } from '../audit/index.ts'
import { type Asked, type Command, tenantOf } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { newId } from '../../platform/ids.ts'
import { type AttemptRow, lockAttempts } from './attempt.queries.ts'
import {
  type Changes,
  movePayment,
  openChanges,
  touchPayment,
  writeChanges,
} from './payment-changes.ts'
import { refuse } from './payment.errors.ts'
import { type PaymentRow, lockPayments } from './payment.queries.ts'

export interface CancelOrder {
  readonly paymentId: string
  readonly reason: string | null
}

/**
 * Stops a payment before money moves. One that no gateway has heard of is canceled at once; an
 * authorized one is voided at its gateway and canceled when that has said so. Asking again for what
 * is canceled, or being voided, answers the payment as it is.
 */
export const cancelPayments: Command<CancelOrder, PaymentRow, Held> = {
  name: 'cancel_payments',
  lock,
  run,
}

type Request = Asked<CancelOrder>

interface Held {
  readonly payments: ReadonlyMap<string, PaymentRow>
  readonly attempts: ReadonlyMap<string, AttemptRow>
}

async function lock(tx: Tx, requests: readonly Request[]): Promise<Held> {
  const pairs = requests.map(({ tenantId, input }) => ({ tenantId, id: input.paymentId }))
  const payments = await lockPayments(tx, pairs)
  // Waits for a claim in flight: afterwards the attempt has left `created`, or we hold it.
  const first = [...payments.values()].flatMap((payment) =>
    payment.state === 'pending' && payment.charge_attempt_id !== null
      ? [payment.charge_attempt_id]
      : [],
  )
  const attempts = await lockAttempts(tx, tenantOf(requests), first)
  return { payments, attempts }
}

async function run(
  tx: Tx,
  requests: readonly Request[],
  held: Held,
): Promise<Outcome<PaymentRow>[]> {
  const changes = openChanges()
  const outcomes = requests.map((request) => judge(changes, held, request))
  await writeChanges(tx, changes)
  return outcomes
}

function judge(changes: Changes, held: Held, request: Request): Outcome<PaymentRow> {
  const { input, at } = request
  const payment = held.payments.get(input.paymentId)
  if (payment === undefined) return refuse('payment_not_found')
  const notCancelable = () => refuse('payment_not_cancelable', { current_status: payment.state })
  switch (payment.state) {
    case 'canceled':
      return accept(payment)
    case 'pending': {
      const attempt = held.attempts.get(payment.charge_attempt_id ?? '')
      if (attempt?.status !== 'created') return notCancelable()
      attempt.closed_at = at
      attempt.due_at = null
      changes.attempts.add(attempt)
      payment.cancellation_reason = input.reason
      movePayment(changes, payment, 'canceled', { as: 'canceled', moment: request })
      return accept(payment)
    }
    case 'authorized':
      if (payment.capture_reserved > 0n) return refuse('payment_busy')
      // Nothing is captured and something closes it: that is a void on its way.
      if (!payment.capture_closing) beginVoid(changes, payment, request)
      return accept(payment)
    case 'processing':
    case 'needs_review':
    case 'completed':
    case 'failed':
      return notCancelable()
  }
}

function beginVoid(changes: Changes, payment: PaymentRow, request: Request): void {
  const attemptId = newId(request.at)
  payment.capture_closing = true
  payment.cancellation_reason = request.input.reason
  payment.attempt_count += 1
  payment.latest_attempt_id = attemptId
  touchPayment(changes, payment, request)
  changes.newAttempts.push({
    tenantId: payment.tenant_id,
    id: attemptId,
    paymentId: payment.id,
    subjectKind: 'void',
    subjectId: payment.id,
    operation: 'void',
    gatewayId: payment.gateway_id as string,
    amount: payment.amount_authorized - payment.amount_captured,
    currency: payment.currency,
    token: null,
    parentAttemptId: payment.charge_attempt_id,
    final: null,
    at: request.at,
  })
  changes.acts.push(
    actOf(request, { action: 'payment.void', resourceKind: 'payment', resourceId: payment.id }),
  )
}
