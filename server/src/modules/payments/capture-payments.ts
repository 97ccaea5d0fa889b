import { actOf } from '../audit/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { newId } from '../../platform/ids.ts'
import { type Changes, openChanges, touchPayment, writeChanges } from './payment-changes.ts'
import { refuse } from './payment.errors.ts'
import { type PaymentRow, lockPayments } from './payment.queries.ts'

export interface CaptureOrder {
  readonly captureId: string
  readonly paymentId: string
  /** Absent: all that is left. */
  readonly amount: bigint | undefined
  /** Gives up what is left of the authorization beyond this. */
  readonly final: boolean
}

/**
 * Reserves what is to be captured and hands it to the gateway. The amount counts as captured once
 * the gateway has said so; until then no other capture can have it.
 */
export const capturePayments: Command<CaptureOrder, PaymentRow, Held> = {
  name: 'capture_payments',
  lock: (tx, requests) =>
    lockPayments(
      tx,
      requests.map(({ tenantId, input }) => ({ tenantId, id: input.paymentId })),
    ),
  run,
}

type Request = Asked<CaptureOrder>
type Held = ReadonlyMap<string, PaymentRow>

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

// Changes the held row, so that a second capture in the batch is judged after the first.
function judge(changes: Changes, held: Held, request: Request): Outcome<PaymentRow> {
  const { input, at, actor } = request
  const payment = held.get(input.paymentId)
  if (payment === undefined) return refuse('payment_not_found')
  if (payment.state !== 'authorized') {
    return refuse('payment_not_capturable', { current_status: payment.state })
  }
  if (payment.capture_closing || (input.final && payment.capture_reserved > 0n)) {
    return refuse('payment_busy', { current_status: payment.state })
  }
  const left = payment.amount_authorized - payment.amount_captured - payment.capture_reserved
  const amount = input.amount ?? left
  if (amount > left || amount === 0n) {
    return refuse('capture_exceeds_authorized', { capturable: Number(left) })
  }
  payment.capture_reserved += amount
  payment.capture_closing = input.final
  const attemptId = newId(at)
  payment.attempt_count += 1
  payment.latest_attempt_id = attemptId
  touchPayment(changes, payment, request)
  changes.newCaptures.push({
    tenant_id: payment.tenant_id,
    id: input.captureId,
    payment_id: payment.id,
    version: 1,
    amount,
    currency: payment.currency,
    final: input.final,
    status: 'pending',
    failure: null,
    created_by: actor.id,
    created_at: at,
    updated_at: at,
  })
  changes.newAttempts.push({
    tenantId: payment.tenant_id,
    id: attemptId,
    paymentId: payment.id,
    subjectKind: 'capture',
    subjectId: input.captureId,
    operation: 'capture',
    gatewayId: payment.gateway_id as string,
    amount,
    currency: payment.currency,
    token: null,
    parentAttemptId: payment.charge_attempt_id,
    final: input.final,
    at,
  })
  changes.acts.push(
    actOf(request, {
      action: 'payment.capture',
      resourceKind: 'payment',
      resourceId: payment.id,
      detail: { amount: Number(amount), final: input.final },
    }),
  )
  return accept(payment)
}
