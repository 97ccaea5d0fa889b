import { type StateOf, machine } from '../../platform/state-machine.ts'

/** Where a payment stands. Money facts live in its amounts, not in the names of its states. */
export const paymentStates = machine('payment', {
  pending: {
    accepted: 'processing',
    authorized: 'authorized',
    succeeded: 'completed',
    failed: 'failed',
    overdue: 'needs_review',
    contradicted: 'needs_review',
    canceled: 'canceled',
  },
  processing: {
    authorized: 'authorized',
    succeeded: 'completed',
    failed: 'failed',
    overdue: 'needs_review',
    contradicted: 'needs_review',
  },
  authorized: {
    captured_part: 'authorized',
    // A capture or a void failed: the authorization stands as it was.
    attempt_failed: 'authorized',
    captured: 'completed',
    voided: 'canceled',
    expired: 'canceled',
    // The rest of the authorization lapsed or was given up, but a part had been captured.
    closed: 'completed',
    contradicted: 'needs_review',
  },
  needs_review: { authorized: 'authorized', succeeded: 'completed', failed: 'failed' },
  completed: {},
  // A late success after a final no: never flipped silently, a person decides.
  failed: { contradicted: 'needs_review' },
  canceled: { contradicted: 'needs_review' },
})
export type PaymentState = StateOf<typeof paymentStates>

export const refundStates = machine('refund', {
  pending: {
    accepted: 'processing',
    succeeded: 'completed',
    failed: 'failed',
    canceled: 'canceled',
    overdue: 'needs_review',
    contradicted: 'needs_review',
  },
  processing: {
    succeeded: 'completed',
    failed: 'failed',
    overdue: 'needs_review',
    contradicted: 'needs_review',
  },
  needs_review: { succeeded: 'completed', failed: 'failed' },
  // Refunds bounce days later.
  completed: { failed: 'failed' },
  failed: {},
  canceled: {},
})
export type RefundState = StateOf<typeof refundStates>

export const captureStates = machine('capture', {
  pending: {
    accepted: 'processing',
    succeeded: 'completed',
    failed: 'failed',
    overdue: 'needs_review',
    contradicted: 'needs_review',
  },
  processing: {
    succeeded: 'completed',
    failed: 'failed',
    overdue: 'needs_review',
    contradicted: 'needs_review',
  },
  needs_review: { succeeded: 'completed', failed: 'failed' },
  completed: {},
  failed: {},
})
export type CaptureState = StateOf<typeof captureStates>

export const attemptStatuses = [
  'created',
  'sending',
  'succeeded',
  'pending',
  'declined',
  'not_sent',
  'unknown',
] as const
export type AttemptStatus = (typeof attemptStatuses)[number]

/** The public status: `completed` tells how much of it was refunded. */
export type PaymentStatus = PaymentState | 'partially_refunded' | 'refunded'

export function statusOf(payment: {
  state: PaymentState
  amount_captured: bigint
  amount_refunded: bigint
}): PaymentStatus {
  if (payment.state !== 'completed' || payment.amount_refunded === 0n) return payment.state
  return payment.amount_refunded >= payment.amount_captured ? 'refunded' : 'partially_refunded'
}

/** Three values for ever: a poller that knows only these is complete. */
export type StatusGroup = 'pending' | 'completed' | 'failed'

const GROUPS: Readonly<Record<PaymentStatus, StatusGroup>> = {
  pending: 'pending',
  processing: 'pending',
  authorized: 'pending',
  needs_review: 'pending',
  completed: 'completed',
  partially_refunded: 'completed',
  refunded: 'completed',
  failed: 'failed',
  canceled: 'failed',
}

export function statusGroupOf(status: PaymentStatus): StatusGroup {
  return GROUPS[status]
}

export const paymentStatuses = Object.keys(GROUPS) as PaymentStatus[]
