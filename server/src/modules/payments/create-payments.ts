import { actOf, recordAudit } from '../audit/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, type Refused, accept } from '../../platform/errors.ts'
import { type EmittedEvent, emit } from '../../platform/events/events.ts'
import { newId, publicId } from '../../platform/ids.ts'
import {
  type BalanceRow,
  type LockedBooks,
  type Post,
  decide,
  findAccountsByKey,
  findBalances,
  lockBooks,
  writeBooks,
} from '../ledger/index.ts'
import { type NewAttempt, insertAttempts } from './attempt.queries.ts'
import { refuse } from './payment.errors.ts'
import { paymentEvent } from './payment.events.ts'
import {
  type PaymentMethod,
  type PaymentRow,
  findPaymentsByExternalId,
  insertPayments,
} from './payment.queries.ts'
import { bookPayment } from './postings.ts'

export interface NewPayment {
  readonly id: string
  readonly amount: bigint
  readonly currency: string
  readonly method: PaymentMethod
  /** Null: the tenant's operating account in that currency. */
  readonly recipientAccountId: string | null
  readonly sourceAccountId: string | null
  /** Null for a book payment, which needs none. */
  readonly gatewayId: string | null
  readonly captureMethod: 'automatic' | 'manual'
  readonly description: string | null
  readonly statementDescriptor: string | null
  readonly externalId: string | null
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Takes payments on. A book payment is completed here, within the ledger; a card payment is written
 * with its first attempt, which is due at once. Each item is judged alone, in order of arrival.
 */
export const createPayments: Command<NewPayment, PaymentRow, Held> = {
  name: 'create_payments',
  mixesTenants: true,
  lock,
  run,
}

type Request = Asked<NewPayment>

interface Held {
  readonly books: LockedBooks | undefined
  /** Recipients of card payments, read without a lock: the ledger is not touched yet. */
  readonly recipients: ReadonlyMap<string, BalanceRow>
  readonly operating: ReadonlyMap<string, string>
  /** External ids in use, by `tenant external_id`. Grows as the batch is judged. */
  readonly taken: Map<string, string>
}

async function lock(tx: Tx, requests: readonly Request[]): Promise<Held> {
  const operating = await findOperating(tx, requests)
  const postings = requests.flatMap((request) => {
    const posting = postingOf(request, recipientOf(request, operating))
    return posting === undefined ? [] : [posting]
  })
  const inbound = requests.flatMap((request) => {
    const id = recipientOf(request, operating)
    return isBook(request) || id === undefined ? [] : [{ tenantId: request.tenantId, id }]
  })
  const named = requests.flatMap(({ tenantId, input: { externalId } }) =>
    externalId === null ? [] : [{ tenantId, externalId }],
  )
  const [books, recipients, taken] = await Promise.all([
    postings.length === 0 ? undefined : lockBooks(tx, postings),
    inbound.length === 0 ? [] : findBalances(tx, inbound),
    findPaymentsByExternalId(tx, named),
  ])
  return {
    books,
    operating,
    recipients: new Map(recipients.map((row) => [`${row.tenant_id} ${row.account_id}`, row])),
    taken: new Map(taken.map((row) => [`${row.tenant_id} ${row.external_id}`, row.id])),
  }
}

function run(tx: Tx, requests: readonly Request[], held: Held): Promise<Outcome<PaymentRow>[]> {
  const outcomes = requests.map((request) => judge(request, held))
  const accepted = outcomes.flatMap((outcome, index) =>
    outcome.ok ? [{ row: outcome.value, request: requests[index] as Request }] : [],
  )
  if (held.books !== undefined) writeBooks(tx, held.books)
  const rows = accepted.map(({ row }) => row)
  insertPayments(tx, rows)
  insertAttempts(tx, accepted.flatMap(attemptOf))
  recordAudit(tx, accepted.map(actOfCreation))
  emit(tx, accepted.map(eventOf))
  return Promise.resolve(outcomes)
}

function judge(request: Request, held: Held): Outcome<PaymentRow> {
  const { tenantId, input } = request
  const recipient = recipientOf(request, held.operating)
  if (recipient === undefined) return refuse('recipient_required', at('/recipient', 'required'))
  const name = `${tenantId} ${input.externalId}`
  const existing = input.externalId === null ? undefined : held.taken.get(name)
  if (existing !== undefined) {
    return refuse('payment_external_id_taken', { existing_id: publicId('pay', existing) })
  }
  const moved = isBook(request)
    ? moveInBooks(request, recipient, held)
    : checkRecipient(request, recipient, held)
  if (!moved.ok) return moved
  if (input.externalId !== null) held.taken.set(name, input.id)
  return accept(paymentRow(request, recipient, moved.value))
}

/** The booking of a book payment, decided now; answers the id of its ledger transaction. */
function moveInBooks(request: Request, recipient: string, held: Held): Outcome<string | null> {
  const posting = postingOf(request, recipient)
  if (posting === undefined) return refuse('source_required', at('/source', 'required'))
  if (held.books === undefined) throw new Error('a book payment without its locks')
  const notOurs = checkPayable(held.books, request, recipient)
  if (notOurs !== undefined) return notOurs
  const outcome = decide(held.books, posting)
  return outcome.ok ? accept(posting.transactionId) : inWordsOfPayments(outcome)
}

// The ledger speaks of entries; the caller named a source and a recipient.
function inWordsOfPayments(refused: Refused): Refused {
  const { code, facts } = refused.refusal
  const field = facts['entry'] === 0 ? 'source' : 'recipient'
  if (code === 'account_not_found') {
    return refuse(`${field}_not_found`, at(`/${field}/account_id`, 'not_allowed'))
  }
  return refused
}

function checkRecipient(
  { tenantId, input }: Request,
  recipient: string,
  { recipients }: Held,
): Outcome<string | null> {
  const account = recipients.get(`${tenantId} ${recipient}`)
  if (account === undefined) {
    return refuse('recipient_not_found', at('/recipient/account_id', 'not_allowed'))
  }
  if (account.chart_role !== PAYABLE) return notPayable('recipient')
  if (account.currency !== input.currency) {
    return refuse('recipient_currency_mismatch', { account_currency: account.currency })
  }
  return account.status === 'open' ? accept(null) : refuse('recipient_closed')
}

function checkPayable(
  { balances }: LockedBooks,
  { tenantId, input }: Request,
  recipient: string,
): Refused | undefined {
  const source = balances.get(`${tenantId} ${input.sourceAccountId}`)
  if (source !== undefined && source.chartRole !== PAYABLE) return notPayable('source')
  const target = balances.get(`${tenantId} ${recipient}`)
  if (target !== undefined && target.chartRole !== PAYABLE) return notPayable('recipient')
  return undefined
}

// Clearing, bank and capital accounts are moved by what they stand for, never paid from or to.
const PAYABLE = 'customer_funds'

function notPayable(field: 'source' | 'recipient'): Refused {
  return refuse('account_not_payable', at(`/${field}/account_id`, 'not_allowed'))
}

function at(path: string, code: 'required' | 'not_allowed') {
  const detail = code === 'required' ? 'is required here' : 'names no account of yours'
  return { errors: [{ pointer: `#${path}`, code, detail }] }
}

function isBook({ input }: Request): boolean {
  return input.method.type === 'book'
}

function recipientOf(
  { tenantId, input }: Request,
  operating: ReadonlyMap<string, string>,
): string | undefined {
  return input.recipientAccountId ?? operating.get(`${tenantId} operating:${input.currency}`)
}

async function findOperating(tx: Tx, requests: readonly Request[]): Promise<Map<string, string>> {
  const names = new Map(
    requests
      .filter(({ input }) => input.recipientAccountId === null)
      .map(({ tenantId, input }) => {
        const key = `operating:${input.currency}`
        return [`${tenantId} ${key}`, { tenantId, key }]
      }),
  )
  const rows = await findAccountsByKey(tx, [...names.values()])
  return new Map(rows.map((row) => [`${row.tenant_id} ${row.key}`, row.account_id]))
}

/** The posting of a book payment; called to know the locks and again to book, so it must be stable. */
function postingOf(request: Request, recipient: string | undefined): Post | undefined {
  const { tenantId, requestId, input } = request
  const source = input.sourceAccountId
  if (!isBook(request) || source === null || recipient === undefined) return undefined
  const booking = {
    tenantId,
    requestId,
    at: request.at,
    transactionId: newId(request.at),
    paymentId: input.id,
    amount: input.amount,
    currency: input.currency,
  }
  return bookPayment(booking, { source, recipient })
}

function paymentRow(
  { tenantId, actor, at: when, input }: Request,
  recipient: string,
  transactionId: string | null,
): PaymentRow {
  const booked = transactionId !== null
  const attemptId = booked ? null : newId(when)
  return {
    tenant_id: tenantId,
    id: input.id,
    version: 1,
    event_sequence: 1,
    state: booked ? 'completed' : 'pending',
    payment_type: input.method.type,
    direction: booked ? 'internal' : 'inbound',
    amount: input.amount,
    currency: input.currency,
    amount_authorized: booked ? input.amount : 0n,
    amount_captured: booked ? input.amount : 0n,
    capture_reserved: 0n,
    amount_refunded: 0n,
    refund_reserved: 0n,
    capture_closing: false,
    capture_method: input.captureMethod,
    payment_method: input.method,
    recipient_account_id: recipient,
    source_account_id: input.sourceAccountId,
    gateway_id: input.gatewayId,
    description: input.description,
    statement_descriptor: input.statementDescriptor,
    external_id: input.externalId,
    metadata: { ...input.metadata },
    failure: null,
    review_reason: null,
    cancellation_reason: null,
    authorization_expires_at: null,
    charge_attempt_id: attemptId,
    ledger_transaction_ids: booked ? [transactionId] : [],
    attempt_count: booked ? 0 : 1,
    latest_attempt_id: attemptId,
    created_by: actor.id,
    created_at: when,
    updated_at: when,
    completed_at: booked ? when : null,
  }
}

type Created = { readonly row: PaymentRow; readonly request: Request }

function attemptOf({ row, request }: Created): NewAttempt[] {
  const { method, gatewayId, captureMethod } = request.input
  if (method.type !== 'card' || gatewayId === null || row.charge_attempt_id === null) return []
  return [
    {
      tenantId: row.tenant_id,
      id: row.charge_attempt_id,
      paymentId: row.id,
      subjectKind: 'payment',
      subjectId: row.id,
      operation: captureMethod === 'manual' ? 'authorize' : 'sale',
      gatewayId,
      amount: row.amount,
      currency: row.currency,
      token: method.card.token,
      parentAttemptId: null,
      final: null,
      at: request.at,
    },
  ]
}

function actOfCreation({ row, request }: Created) {
  return actOf(request, {
    action: 'payment.create',
    resourceKind: 'payment',
    resourceId: row.id,
    detail: { amount: Number(row.amount), currency: row.currency, type: row.payment_type },
  })
}

// One event per transition: a book payment goes from nothing to completed.
function eventOf({ row, request }: Created): EmittedEvent {
  const name = row.state === 'completed' ? 'completed' : 'created'
  return paymentEvent(name, row, { ...request, previous: null })
}
