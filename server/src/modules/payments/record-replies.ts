import { type Asked, type Command, tenantOf } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { openAccounts } from '../ledger/index.ts'
import { type AttemptRow, type ClaimedAttempt, lockAttempts } from './attempt.queries.ts'
import { lockCaptures } from './capture.queries.ts'
import type { GatewayOutcome, InquiryOutcome } from './connectors/connector.ts'
import { failureOf } from './connectors/failure-codes.ts'
import { nextLook } from './inquiry-schedule.ts'
import { type Changes, openChanges, writeChanges } from './payment-changes.ts'
import { lockPayments } from './payment.queries.ts'
import { gatewayClearing, refundsPayable } from './postings.ts'
import { lockRefunds } from './refund.queries.ts'
import { type HeldForReplies, type Subject, subjectOf } from './reply-subjects.ts'

/** We stop asking: nothing more can be learned, or learning it fails every time. */
export interface GivenUp {
  readonly kind: 'given_up'
  readonly cause: string
}

/** What a gateway answered, or that we no longer ask it. */
export interface GatewayReply {
  readonly outcome: Exclude<GatewayOutcome | InquiryOutcome, { kind: 'not_found' }> | GivenUp
  /** True after a send, false after an inquiry. */
  readonly sent: boolean
}

/**
 * Commits what gateways answered: the attempt, and what it means for its payment, capture or refund.
 * A reply whose lease was taken over meanwhile is dropped: whoever holds the lease asks again.
 */
export const recordReplies: Command<ReplyToAttempt, 'recorded' | 'stale', HeldForReplies> = {
  name: 'record_gateway_replies',
  lock,
  run,
}

export interface ReplyToAttempt {
  readonly attempt: ClaimedAttempt
  readonly reply: GatewayReply
}

type Request = Asked<ReplyToAttempt>

async function lock(tx: Tx, requests: readonly Request[]): Promise<HeldForReplies> {
  const tenantId = tenantOf(requests)
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
  held: HeldForReplies,
): Promise<Outcome<'recorded' | 'stale'>[]> {
  const changes = openChanges()
  const outcomes = requests.map((request) => accept(record(changes, held, request)))
  await writeChanges(tx, changes)
  return outcomes
}

function record(changes: Changes, held: HeldForReplies, request: Request): 'recorded' | 'stale' {
  const { attempt: claimed, reply } = request.input
  const attempt = held.attempts.get(claimed.id)
  if (attempt === undefined || attempt.lease_no !== claimed.lease_no) return 'stale'
  changes.attempts.add(attempt)
  if (reply.sent) attempt.sends += 1
  else attempt.inquiry_count += 1
  const subject = subjectOf(changes, held, attempt, request)
  const { outcome } = reply
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
    case 'given_up':
      leaveToPerson(attempt, subject, outcome.cause)
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
