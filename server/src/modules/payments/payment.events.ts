import { Type } from 'typebox'
import {
  type EmittedEvent,
  type Moment,
  NullableString,
  event,
} from '../../platform/events/events.ts'
import { publicId } from '../../platform/ids.ts'
import { toJsonAmount } from '../../platform/money.ts'
import type { PaymentRow } from './payment.queries.ts'
import { statusGroupOf, statusOf } from './payment.states.ts'
import type { RefundRow } from './refund.queries.ts'

const payment = {
  payment_id: Type.String(),
  status: Type.String(),
  status_group: Type.String(),
  previous_status: NullableString,
  amount: Type.Integer(),
  currency: Type.String(),
  amount_captured: Type.Integer(),
  amount_refunded: Type.Integer(),
  failure_code: NullableString,
  external_id: NullableString,
}

const onPayment = (type: string, description: string) =>
  event(`payment.${type}`, 'payment', description, payment)

export const paymentEvents = {
  created: onPayment('created', 'A payment was taken on.'),
  processing: onPayment('processing', 'A gateway accepted it; the money is on its way.'),
  authorized: onPayment('authorized', 'Funds are held at the issuer.'),
  captured: onPayment('captured', 'A part or all of the authorized amount was captured.'),
  attempt_failed: onPayment('attempt_failed', 'A capture or a void failed; the payment stands.'),
  completed: onPayment('completed', 'The money moved.'),
  failed: onPayment('failed', 'The money did not move and will not.'),
  canceled: onPayment('canceled', 'The payment was canceled before money moved.'),
  needs_review: onPayment('needs_review', 'The outcome is not certain; a person must decide.'),
}
export type PaymentEventName = keyof typeof paymentEvents

const refund = {
  refund_id: Type.String(),
  payment_id: Type.String(),
  status: Type.String(),
  previous_status: NullableString,
  amount: Type.Integer(),
  currency: Type.String(),
  failure_code: NullableString,
  external_id: NullableString,
}

const onRefund = (type: string, description: string) =>
  event(`refund.${type}`, 'refund', description, refund)

export const refundEvents = {
  created: onRefund('created', 'A refund was taken on; its amount is reserved.'),
  processing: onRefund('processing', 'A gateway accepted the refund.'),
  completed: onRefund('completed', 'The refund was paid out.'),
  failed: onRefund('failed', 'The refund failed; its amount can be refunded again.'),
  needs_review: onRefund('needs_review', 'The outcome is not certain; a person must decide.'),
}
export type RefundEventName = keyof typeof refundEvents

/** The event of a payment as its row stands now; its `event_sequence` must have been raised. */
export function paymentEvent(
  name: PaymentEventName,
  row: PaymentRow,
  { at, requestId, previous }: Moment & { previous: string | null },
): EmittedEvent {
  const status = statusOf(row)
  return paymentEvents[name]({
    tenantId: row.tenant_id,
    objectId: row.id,
    sequence: row.event_sequence,
    at,
    requestId,
    data: {
      payment_id: publicId('pay', row.id),
      status,
      status_group: statusGroupOf(status),
      previous_status: previous,
      amount: toJsonAmount(row.amount),
      currency: row.currency,
      amount_captured: toJsonAmount(row.amount_captured),
      amount_refunded: toJsonAmount(row.amount_refunded),
      failure_code: row.failure?.code ?? null,
      external_id: row.external_id,
    },
  })
}

export function refundEvent(
  name: RefundEventName,
  row: RefundRow,
  { at, requestId, previous }: Moment & { previous: string | null },
): EmittedEvent {
  return refundEvents[name]({
    tenantId: row.tenant_id,
    objectId: row.id,
    sequence: row.event_sequence,
    at,
    requestId,
    data: {
      refund_id: publicId('ref', row.id),
      payment_id: publicId('pay', row.payment_id),
      status: row.status,
      previous_status: previous,
      amount: toJsonAmount(row.amount),
      currency: row.currency,
      failure_code: row.failure?.code ?? null,
      external_id: row.external_id,
    },
  })
}
