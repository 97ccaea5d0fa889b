import { actOf, recordAudit } from '../audit/index.ts'
import {
  type LedgerCommand,
  type LockedBooks,
  businessDay,
  decide,
  findAccountsByKey,
  ledgerErrors,
  lockBooks,
  writeBooks,
} from '../ledger/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, type Refused, accept } from '../../platform/errors.ts'
import { emit } from '../../platform/events/events.ts'
import { newId } from '../../platform/ids.ts'
import { refuse } from './banking.errors.ts'
import { consentEvent, transferEvent } from './banking.events.ts'
import { type BeneficiaryRow, findBeneficiaries } from './beneficiary.queries.ts'
import { type ConsentRow, updateConsents } from './consent.queries.ts'
import { type Counters, count, limitFault } from './limits.ts'
import { writeCounters } from './limit-counter.queries.ts'
import { type LockedConsents, countersOf, lockConsentsOf, lockedView } from './lock-consents.ts'
import { type TransferRow, insertTransfers } from './transfer.queries.ts'
import { bookTransfer, holdTransfer, outgoingKey } from './transfer-postings.ts'
import {
  CUSTOMER_FUNDS,
  type View,
  canSeeAccount,
  canSeeBeneficiary,
  consentFault,
} from './view.ts'

export interface NewTransfer {
  readonly id: string
  readonly fromAccountId: string
  /** Exactly one of the two is set. */
  readonly toAccountId: string | null
  readonly beneficiaryId: string | null
  readonly amount: bigint
  readonly currency: string
  readonly reference: string | null
  readonly endToEndId: string | null
  readonly metadata: Readonly<Record<string, string>>
  /** The actor works for the bank; else a consent must allow it. */
  readonly isBank: boolean
}

/**
 * Moves money between accounts, or sets it aside for one that leaves the bank. Locks consents, then
 * the accounts; each item is judged alone, in order of arrival.
 */
export const createTransfers: Command<NewTransfer, TransferRow, Held> = {
  name: 'create_transfers',
  mixesTenants: true,
  lock,
  run,
  replayFault: (request, held) => authorityFault(request, viewFor(request, held), ['consumed']),
}

type Request = Asked<NewTransfer>

interface Held extends LockedConsents {
  readonly books: LockedBooks
  readonly counters: Counters
  /** By `tenant id`, deleted ones too. */
  readonly beneficiaries: ReadonlyMap<string, BeneficiaryRow>
  /** Clearing accounts by `tenant key`. */
  readonly clearing: ReadonlyMap<string, string>
}

async function lock(tx: Tx, requests: readonly Request[]): Promise<Held> {
  const [locked, beneficiaries] = await Promise.all([
    lockConsentsOf(tx, requests),
    findBeneficiaries(tx, requests.flatMap(beneficiaryOf)),
  ])
  const clearing = await findClearing(tx, requests, beneficiaries)
  const named = { ...locked, beneficiaries, clearing }
  const postings = requests.flatMap((request) => {
    // Whoever may not touch an account does not lock it either.
    const fault = authorityFault(request, viewFor(request, locked))
    const posting = fault === undefined ? postingOf(request, named) : undefined
    return posting === undefined ? [] : [posting]
  })
  const times = requests.map(({ at }) => at)
  const [books, counters] = await Promise.all([
    lockBooks(tx, postings),
    countersOf(tx, locked.consents.values(), times),
  ])
  return { ...named, books, counters }
}

function run(tx: Tx, requests: readonly Request[], held: Held): Promise<Outcome<TransferRow>[]> {
  const consumed = new Map<ConsentRow, Request>()
  const used = new Set<ConsentRow>()
  const outcomes = requests.map((request): Outcome<TransferRow> => {
    const outcome = judge(request, held)
    const consent = outcome.ok ? consentOf(request, held) : undefined
    if (consent === undefined) return outcome
    use(consent, request.at)
    used.add(consent)
    if (consent.state === 'consumed') consumed.set(consent, request)
    return outcome
  })
  const made = outcomes.flatMap((outcome, index) =>
    outcome.ok ? [{ row: outcome.value, request: requests[index] as Request }] : [],
  )
  for (const consent of used) consent.version += 1
  writeBooks(tx, held.books)
  const rows = made.map(({ row }) => row)
  const counters = [...held.counters.values()].filter(({ changed }) => changed)
  pipelined(tx, updateConsents(tx, [...used]))
  pipelined(tx, writeCounters(tx, counters))
  pipelined(tx, insertTransfers(tx, rows))
  recordAudit(tx, made.map(actOfCreation))
  emit(tx, [
    ...made.map(({ row, request }) => transferEvent(row, request)),
    ...[...consumed].map(([consent, request]) => consentEvent(consent, request)),
  ])
  return Promise.resolve(outcomes)
}

function judge(request: Request, held: Held): Outcome<TransferRow> {
  const { tenantId, actor, at, input } = request
  const view = viewFor(request, held)
  const fault = authorityFault(request, view) ?? paymentFault(request, view)
  if (fault !== undefined) return fault
  const posting = postingOf(request, held)
  const target = targetOf(request, held)
  if (posting === undefined || target === undefined) return unknownTarget(request)
  if (target.accountId === input.fromAccountId) return refuse('same_account')
  const unfit = accountFault(request, held.books, target)
  if (unfit !== undefined) return unfit

  const { timeZone } = held.books.books.get(tenantId) ?? { timeZone: 'UTC' }
  const { amount, currency } = input
  const spending = { amount, currency, timeZone, day: businessDay(at, timeZone) }
  const consent = view.kind === 'consent' ? view.consent : undefined
  const beyond = consent && limitFault(held.counters, consent, spending)
  if (beyond !== undefined) return beyond
  const booked = decide(held.books, posting)
  if (!booked.ok) return inWordsOfBanking(booked, maySeeBalance(request, view))
  if (consent !== undefined) count(held.counters, consent, spending)
  const { bookedMicros } = held.books
  return accept({
    tenant_id: tenantId,
    id: input.id,
    version: 1,
    event_sequence: 1,
    state: posting.kind === 'post' ? 'booked' : 'pending',
    from_account_id: input.fromAccountId,
    to_account_id: target.external ? null : target.accountId,
    beneficiary_id: input.beneficiaryId,
    amount,
    currency,
    reference: input.reference,
    end_to_end_id: input.endToEndId,
    metadata: { ...input.metadata },
    transaction_id: posting.kind === 'post' ? posting.transactionId : null,
    hold_id: posting.kind === 'hold' ? posting.holdId : null,
    consent_id: consent?.id ?? null,
    client_id: actor.clientId ?? actor.id,
    user_id: actor.user?.id ?? null,
    counted_on: spending.day,
    created_at: at,
    booked_at: posting.kind === 'post' ? new Date(Number(bookedMicros / 1_000n)) : null,
    cancelled_at: null,
  })
}

/** Whether the actor may do this at all, asked of a repetition too. */
function authorityFault(
  { at, input }: Request,
  view: View,
  alsoAllowed: readonly ConsentRow['state'][] = [],
): Refused | undefined {
  if (view.kind === 'bank') return undefined
  const { consent } = view
  const spent = consent !== undefined && alsoAllowed.includes(consent.state)
  const fault = spent ? undefined : consentFault(consent, 'transfer:write', at)
  if (fault !== undefined) return fault
  const seen = { accountId: input.fromAccountId, role: CUSTOMER_FUNDS }
  return canSeeAccount(view, seen) ? undefined : noAccount('from_account_id')
}

/** A payment that was approved field by field is made as it was approved, or not at all. */
function paymentFault({ input }: Request, view: View): Refused | undefined {
  if (view.kind === 'bank' || view.consent === undefined) return undefined
  const { payment, client_profile: profile } = view.consent
  if (payment === null) {
    if (profile === 'standard') return undefined
    return refuse('consent_required', { detail: 'This app needs a consent to this very payment.' })
  }
  const equal =
    payment.from_account_id === input.fromAccountId &&
    payment.to_account_id === input.toAccountId &&
    BigInt(payment.amount) === input.amount &&
    payment.currency === input.currency &&
    payment.reference === input.reference
  if (equal) return undefined
  return refuse('consent_required', { detail: 'The customer approved another payment than this.' })
}

function use(consent: ConsentRow, at: Date): void {
  consent.last_used_at = at
  if (consent.payment === null) return
  consent.state = 'consumed'
  consent.event_sequence += 1
}

interface Target {
  /** Where the ledger books to: the payee, or where what leaves the bank waits. */
  readonly accountId: string
  readonly external: boolean
}

type Named = Pick<Held, 'beneficiaries' | 'clearing'>

function targetOf(request: Request, { beneficiaries, clearing }: Named): Target | undefined {
  const { tenantId, input } = request
  const { toAccountId } = input
  if (toAccountId !== null) return { accountId: toAccountId, external: false }
  const row = visibleBeneficiary(request, beneficiaries)
  if (row === undefined) return undefined
  if (row.account_id !== null) return { accountId: row.account_id, external: false }
  const accountId = clearing.get(`${tenantId} ${outgoingKey(row.currency)}`)
  return accountId === undefined ? undefined : { accountId, external: true }
}

/** The booking of a transfer; called to know the locks and again to book, so it must be stable. */
function postingOf(request: Request, named: Named): (LedgerCommand & Booked) | undefined {
  const target = targetOf(request, named)
  if (target === undefined) return undefined
  const { id, amount, currency, fromAccountId } = request.input
  const moved = { transferId: id, id: newId(request.at), amount, currency }
  const way = { ...moved, from: fromAccountId, to: target.accountId }
  return target.external ? holdTransfer(request, way) : bookTransfer(request, way)
}

type Booked = ReturnType<typeof bookTransfer> | ReturnType<typeof holdTransfer>

function accountFault(
  { tenantId, input }: Request,
  { balances }: LockedBooks,
  target: Target,
): Refused | undefined {
  const sides = [
    { field: 'from_account_id', id: input.fromAccountId, stops: 'outgoing' },
    { field: 'to_account_id', id: target.accountId, stops: 'incoming' },
  ] as const
  for (const { field, id, stops } of sides) {
    if (field === 'to_account_id' && target.external) continue
    const account = balances.get(`${tenantId} ${id}`)
    if (account === undefined || account.chartRole !== CUSTOMER_FUNDS) return noAccount(field)
    const errors = [place(field)]
    if (account.status === 'closed') return ledgerErrors('account_closed', { errors })
    const { blocked } = account
    if (blocked === 'both' || blocked === stops) return refuse('account_frozen', { errors })
    if (account.currency !== input.currency) return ledgerErrors('currency_mismatch', { errors })
  }
  return undefined
}

function unknownTarget({ input }: Request): Refused {
  if (input.beneficiaryId === null) return noAccount('to_account_id')
  return refuse('beneficiary_not_found', { errors: [place('beneficiary_id')] })
}

function noAccount(field: 'from_account_id' | 'to_account_id'): Refused {
  return refuse('bank_account_not_found', { errors: [place(field)] })
}

function place(field: string) {
  return { pointer: `#/${field}`, code: 'not_allowed', detail: 'cannot be used here' } as const
}

/** What the ledger says of accounts is not for everybody: only the code is passed on. */
function inWordsOfBanking({ refusal: { code, facts } }: Refused, maySee: boolean): Refused {
  if (code !== 'insufficient_funds') return ledgerErrors(code as keyof typeof ledgerErrors.table)
  return ledgerErrors(code, maySee ? { available: facts['available'] } : {})
}

function maySeeBalance({ actor, at: now }: Request, view: View): boolean {
  if (!actor.scopes.has('balance:read')) return false
  return view.kind === 'bank' || consentFault(view.consent, 'balance:read', now) === undefined
}

function viewFor(request: Request, held: LockedConsents): View {
  return lockedView(held, request, request.input.isBank)
}

function consentOf(request: Request, held: LockedConsents): ConsentRow | undefined {
  const view = viewFor(request, held)
  return view.kind === 'bank' ? undefined : view.consent
}

function visibleBeneficiary(
  { tenantId, actor, input: { beneficiaryId } }: Request,
  beneficiaries: Held['beneficiaries'],
): BeneficiaryRow | undefined {
  const row = beneficiaries.get(`${tenantId} ${beneficiaryId}`)
  return row !== undefined && canSeeBeneficiary(actor, row) ? row : undefined
}

function beneficiaryOf({ tenantId, input: { beneficiaryId } }: Request) {
  return beneficiaryId === null ? [] : [{ tenantId, id: beneficiaryId }]
}

async function findClearing(
  tx: Tx,
  requests: readonly Request[],
  beneficiaries: ReadonlyMap<string, BeneficiaryRow>,
): Promise<Map<string, string>> {
  const keys = new Map(
    requests
      .flatMap((request) => visibleBeneficiary(request, beneficiaries) ?? [])
      .filter(({ iban }) => iban !== null)
      .map((row) => {
        const pair = { tenantId: row.tenant_id, key: outgoingKey(row.currency) }
        return [`${pair.tenantId} ${pair.key}`, pair]
      }),
  )
  const rows = await findAccountsByKey(tx, [...keys.values()])
  return new Map(rows.map((row) => [`${row.tenant_id} ${row.key}`, row.account_id]))
}

function actOfCreation({ row, request }: { row: TransferRow; request: Request }) {
  return actOf(request, {
    action: 'transfer.create',
    resourceKind: 'transfer',
    resourceId: row.id,
    detail: {
      amount: Number(row.amount),
      currency: row.currency,
      status: row.state,
      ...(row.consent_id !== null && { consent: row.consent_id }),
    },
  })
}
