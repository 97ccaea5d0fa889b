import { actOf } from '../audit/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { newId, publicId } from '../../platform/ids.ts'
import {
  type LockedBooks,
  type Post,
  decide,
  lockBooks,
  openAccounts,
  writeBooks,
} from '../ledger/index.ts'
import { type Changes, openChanges, touchPayment, writeChanges } from './payment-changes.ts'
import { refuse } from './payment.errors.ts'
import { refundEvent } from './payment.events.ts'
import { type PaymentRow, lockPayments } from './payment.queries.ts'
import { refundable } from './payment.schema.ts'
import { bookRefund, refundReserved, refundsPayable } from './postings.ts'
import { type RefundRow, findRefundsByExternalId } from './refund.queries.ts'

export interface RefundOrder {
  readonly refundId: string
  readonly paymentId: string
  /** Absent: all that can be refunded. */
  readonly amount: bigint | undefined
  readonly reason: RefundRow['reason']
  readonly description: string | null
  readonly externalId: string | null
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Takes refunds on. The amount is reserved on the payment and set aside in the ledger before the
 * gateway is asked, so refunds that race compete for the same row and their sum never exceeds what
 * was captured. A book payment is refunded here, within the ledger.
 */
export const createRefunds: Command<RefundOrder, RefundRow, Held> = {
  name: 'create_refunds',
  lock,
  run,
}

type Request = Asked<RefundOrder>

interface Held {
  readonly payments: ReadonlyMap<string, PaymentRow>
  readonly books: LockedBooks
  /** Refunds payable by `tenant key`. */
  readonly accounts: ReadonlyMap<string, string>
  /** External ids in use, by name. Grows as the batch is judged. */
  readonly taken: Map<string, string>
}

async function lock(tx: Tx, requests: readonly Request[]): Promise<Held> {
  const [payments, taken] = await Promise.all([
    lockPayments(
      tx,
      requests.map(({ tenantId, input }) => ({ tenantId, id: input.paymentId })),
    ),
    findRefundsByExternalId(
      tx,
      requests.flatMap(({ tenantId, input: { externalId } }) =>
        externalId === null ? [] : [{ tenantId, externalId }],
      ),
    ),
  ])
  const at = requests[0]?.at as Date
  const accounts = await openAccounts(
    tx,
    [...payments.values()].map((row) => refundsPayable(row.tenant_id, row.currency, at)),
  )
  // The locks depend on the accounts only, not on how much each refund will take.
  const postings = requests.flatMap((request) => {
    const payment = payments.get(request.input.paymentId)
    return payment === undefined ? [] : [postingOf(request, payment, accounts, 1n)]
  })
  return {
    payments,
    accounts,
    books: await lockBooks(tx, postings),
    taken: new Map(taken.map((row) => [row.external_id, row.id])),
  }
}

async function run(
  tx: Tx,
  requests: readonly Request[],
  held: Held,
): Promise<Outcome<RefundRow>[]> {
  const changes = openChanges()
  const outcomes = requests.map((request) => judge(changes, held, request))
  writeBooks(tx, held.books)
  await writeChanges(tx, changes)
  return outcomes
}

// Changes the held payment, so that a second refund in the batch is judged after the first.
function judge(changes: Changes, held: Held, request: Request): Outcome<RefundRow> {
  const { input } = request
  const payment = held.payments.get(input.paymentId)
  if (payment === undefined) return refuse('payment_not_found')
  const existing = input.externalId === null ? undefined : held.taken.get(input.externalId)
  if (existing !== undefined) {
    return refuse('refund_external_id_taken', { existing_id: publicId('ref', existing) })
  }
  if (payment.amount_captured === 0n) {
    return refuse('payment_not_refundable', { current_status: payment.state })
  }
  const most = refundable(payment)
  const amount = input.amount ?? most
  if (amount > most || amount === 0n) {
    return refuse('refund_exceeds_refundable', { refundable: Number(most) })
  }
  const posting = postingOf(request, payment, held.accounts, amount)
  const posted = decide(held.books, posting)
  if (!posted.ok) return posted
  if (input.externalId !== null) held.taken.set(input.externalId, input.refundId)
  const refund = refundRow(request, payment, { amount, transactionId: posting.transactionId })
  if (payment.payment_type === 'book') payment.amount_refunded += amount
  else reserve(changes, payment, refund)
  touchPayment(changes, payment, request)
  announce(changes, refund, request)
  return accept(refund)
}

function reserve(changes: Changes, payment: PaymentRow, refund: RefundRow): void {
  payment.refund_reserved += refund.amount
  payment.attempt_count += 1
  payment.latest_attempt_id = refund.latest_attempt_id
  changes.newAttempts.push({
    tenantId: payment.tenant_id,
    id: refund.latest_attempt_id as string,
    paymentId: payment.id,
    subjectKind: 'refund',
    subjectId: refund.id,
    operation: 'refund',
    gatewayId: payment.gateway_id as string,
    amount: refund.amount,
    currency: payment.currency,
    token: null,
    parentAttemptId: payment.charge_attempt_id,
    final: null,
    at: refund.created_at,
  })
}

function announce(changes: Changes, refund: RefundRow, request: Request): void {
  changes.newRefunds.push(refund)
  const detail = { amount: Number(refund.amount), currency: refund.currency }
  changes.acts.push(
    actOf(request, {
      action: 'refund.create',
      resourceKind: 'refund',
      resourceId: refund.id,
      detail,
    }),
  )
  // One event per transition: the refund of a book payment goes from nothing to completed.
  const name = refund.status === 'completed' ? 'completed' : 'created'
  changes.events.push(refundEvent(name, refund, { ...request, previous: null }))
}

function refundRow(
  { actor, at, input }: Request,
  payment: PaymentRow,
  { amount, transactionId }: { amount: bigint; transactionId: string },
): RefundRow {
  const isBook = payment.payment_type === 'book'
  return {
    tenant_id: payment.tenant_id,
    id: input.refundId,
    payment_id: payment.id,
    version: 1,
    event_sequence: 1,
    amount,
    currency: payment.currency,
    reason: input.reason,
    status: isBook ? 'completed' : 'pending',
    external_id: input.externalId,
    description: input.description,
    metadata: { ...input.metadata },
    failure: null,
    ledger_transaction_ids: [transactionId],
    latest_attempt_id: isBook ? null : newId(at),
    created_by: actor.id,
    created_at: at,
    updated_at: at,
    completed_at: isBook ? at : null,
  }
}

function postingOf(
  { tenantId, requestId, at }: Request,
  payment: PaymentRow,
  accounts: ReadonlyMap<string, string>,
  amount: bigint,
): Post {
  const booking = {
    tenantId,
    requestId,
    at,
    transactionId: newId(at),
    paymentId: payment.id,
    amount,
    currency: payment.currency,
  }
  const recipient = payment.recipient_account_id
  if (payment.source_account_id !== null) {
    return bookRefund(booking, { source: payment.source_account_id, recipient })
  }
  const { key } = refundsPayable(tenantId, payment.currency, at)
  const payable = accounts.get(`${tenantId} ${key}`)
  if (payable === undefined) throw new Error(`${key} was not opened`)
  return refundReserved(booking, { recipient, payable })
}
