import { type Act, actOf, recordAudit } from '../audit/index.ts'
import type { Actor } from '../../platform/actor.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type EmittedEvent, emit } from '../../platform/events/events.ts'
import { type Post, postEntries } from '../ledger/index.ts'
import {
  type AttemptRow,
  type NewAttempt,
  insertAttempts,
  updateAttempts,
} from './attempt.queries.ts'
import { type CaptureRow, insertCaptures, updateCaptures } from './capture.queries.ts'
import {
  type PaymentEventName,
  type RefundEventName,
  paymentEvent,
  refundEvent,
} from './payment.events.ts'
import { type PaymentRow, updatePayments } from './payment.queries.ts'
import { captureStates, paymentStates, refundStates, statusOf } from './payment.states.ts'
import { type RefundRow, insertRefunds, updateRefunds } from './refund.queries.ts'

/**
 * What a batch does to locked payments and what hangs on them, gathered in memory and written once:
 * rows, postings, audit rows and events of one transaction. Every change of a state goes through the
 * machines, here and nowhere else.
 */
export interface Changes {
  readonly payments: Set<PaymentRow>
  readonly refunds: Set<RefundRow>
  readonly captures: Set<CaptureRow>
  readonly attempts: Set<AttemptRow>
  readonly newRefunds: RefundRow[]
  readonly newCaptures: CaptureRow[]
  readonly newAttempts: NewAttempt[]
  readonly posts: Post[]
  readonly events: EmittedEvent[]
  readonly acts: Act[]
}

/** Who made a change, when, in which request. */
export interface Moment {
  readonly actor: Actor
  readonly requestId: string
  readonly at: Date
}

export function openChanges(): Changes {
  return {
    payments: new Set(),
    refunds: new Set(),
    captures: new Set(),
    attempts: new Set(),
    newRefunds: [],
    newCaptures: [],
    newAttempts: [],
    posts: [],
    events: [],
    acts: [],
  }
}

/** Moves a payment by an event of its machine. A move that the table does not list is a bug. */
export function movePayment(
  changes: Changes,
  row: PaymentRow,
  event: string,
  { as, moment }: { as: PaymentEventName; moment: Moment },
): void {
  const previous = statusOf(row)
  const state = paymentStates.next(row.state, event)
  if (state === undefined) throw new Error(`payment ${row.id}: ${event} in state ${row.state}`)
  row.state = state
  row.event_sequence += 1
  if (state === 'completed') row.completed_at ??= moment.at
  touchPayment(changes, row, moment)
  changes.events.push(paymentEvent(as, row, { ...moment, previous }))
  changes.acts.push(
    actOf(moment, {
      action: `payment.${as}`,
      resourceKind: 'payment',
      resourceId: row.id,
      detail: { previous },
    }),
  )
}

/** A change of amounts that is told by another object's event. */
export function touchPayment(changes: Changes, row: PaymentRow, { at }: Moment): void {
  row.updated_at = at
  changes.payments.add(row)
}

export function moveRefund(
  changes: Changes,
  row: RefundRow,
  event: string,
  { as, moment }: { as: RefundEventName; moment: Moment },
): void {
  const previous = row.status
  const status = refundStates.next(row.status, event)
  if (status === undefined) throw new Error(`refund ${row.id}: ${event} in state ${row.status}`)
  row.status = status
  row.event_sequence += 1
  row.updated_at = moment.at
  if (status === 'completed') row.completed_at ??= moment.at
  changes.refunds.add(row)
  changes.events.push(refundEvent(as, row, { ...moment, previous }))
  changes.acts.push(
    actOf(moment, {
      action: `refund.${as}`,
      resourceKind: 'refund',
      resourceId: row.id,
      detail: { previous },
    }),
  )
}

/** Captures have no events of their own: the payment tells what became of them. */
export function moveCapture(
  changes: Changes,
  row: CaptureRow,
  event: string,
  { at }: Moment,
): void {
  const status = captureStates.next(row.status, event)
  if (status === undefined) throw new Error(`capture ${row.id}: ${event} in state ${row.status}`)
  row.status = status
  row.updated_at = at
  changes.captures.add(row)
}

/**
 * Writes everything; rows are inserted and updated before the ledger locks its balances. Postings
 * that could be refused are decided before this (`decide`): what is posted here must be accepted.
 */
export async function writeChanges(tx: Tx, changes: Changes): Promise<void> {
  for (const row of changes.payments) row.version += 1
  for (const row of changes.refunds) row.version += 1
  for (const row of changes.captures) row.version += 1
  pipelined(tx, updatePayments(tx, [...changes.payments]))
  insertRefunds(tx, changes.newRefunds)
  pipelined(tx, updateRefunds(tx, [...changes.refunds]))
  insertCaptures(tx, changes.newCaptures)
  pipelined(tx, updateCaptures(tx, [...changes.captures]))
  insertAttempts(tx, changes.newAttempts)
  pipelined(tx, updateAttempts(tx, [...changes.attempts]))
  recordAudit(tx, changes.acts)
  emit(tx, changes.events)
  for (const outcome of await postEntries(tx, changes.posts)) {
    if (!outcome.ok || outcome.value.transaction === undefined) {
      throw new Error(`a posting that cannot fail was not booked: ${JSON.stringify(outcome)}`)
    }
  }
}
