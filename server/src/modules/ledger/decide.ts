import { type Outcome, type Refused, accept } from '../../platform/errors.ts'
import { publicId } from '../../platform/ids.ts'
import { type BalanceChange, type BalanceState, available, posted } from './balance.ts'
import { businessDay, daysAfter } from './business-day.ts'
import { refuse } from './ledger.errors.ts'
import type { LockedBooks } from './lock-books.ts'
import type {
  BookedEntry,
  BookedTransaction,
  HoldCommand,
  HoldState,
  LedgerCommand,
  LedgerResult,
  Leg,
  OpenHold,
  Post,
  PostHold,
  Reverse,
} from './posting.ts'

const MAX_ENTRIES = 100
const MAX_DAYS_AHEAD = 5
// JSON's safe range; beyond it a balance could not be told (RFC 8259 §6).
const MAX_BALANCE = 9_007_199_254_740_991n
// int8 ends at 9.22e18. Totals only grow, so they are refused long before they overflow.
const MAX_TOTAL = 4_000_000_000_000_000_000n

/**
 * Decides one command in memory: it is checked whole and then applied, so a refusal leaves no trace
 * and the next command sees this one. Pure but for the locked state it is handed; no I/O, no clock.
 */
export function decide(books: LockedBooks, command: LedgerCommand): Outcome<LedgerResult> {
  const outcome = judge(books, command)
  if (outcome.ok && outcome.value.hold !== undefined) {
    books.holdChanges.push({ command: command as OpenHold | HoldCommand, hold: outcome.value.hold })
  }
  return outcome
}

function judge(books: LockedBooks, command: LedgerCommand): Outcome<LedgerResult> {
  switch (command.kind) {
    case 'post':
      return decidePost(books, command)
    case 'reverse':
      return decideReverse(books, command)
    case 'hold':
      return decideHold(books, command)
    case 'post_hold':
    case 'increase_hold':
    case 'void_hold':
    case 'expire_hold':
      return decideHoldCommand(books, command)
  }
}

function decidePost(books: LockedBooks, command: Post): Outcome<LedgerResult> {
  const { tenantId, dedupeKey, externalId } = command
  if (dedupeKey !== undefined) {
    const existing = books.byDedupeKey.get(`${tenantId} ${dedupeKey}`)
    if (existing !== undefined) return accept({ existingTransactionId: existing })
  }
  if (externalId !== undefined) {
    const existing = books.byExternalId.get(`${tenantId} ${externalId}`)
    if (existing !== undefined) {
      return refuse('external_id_taken', { existing_id: publicId('txn', existing) })
    }
  }
  const unfit = checkLegs(command.legs)
  if (unfit !== undefined) return unfit
  const day = openDay(books, command)
  if (!day.ok) return day
  const changes = new Map<string, BalanceChange>()
  for (const leg of command.legs) addLeg(changes, leg)
  const refused = apply(books, command, command.legs, changes)
  if (refused !== undefined) return refused

  if (dedupeKey !== undefined) books.byDedupeKey.set(`${tenantId} ${dedupeKey}`, command.transactionId)
  if (externalId !== undefined) {
    books.byExternalId.set(`${tenantId} ${externalId}`, command.transactionId)
  }
  return accept({ transaction: book(books, command, { legs: command.legs, effectiveOn: day.value }) })
}

function decideReverse(books: LockedBooks, command: Reverse): Outcome<LedgerResult> {
  const name = `${command.tenantId} ${command.reverses}`
  const original = books.originals.get(name)
  if (original === undefined) return refuse('transaction_not_found')
  if (original.reversed || original.reverses !== null) return refuse('already_reversed')
  const legs = original.legs.map((leg) => ({ ...leg, amount: -leg.amount }))
  const asked = command.effectiveOn === 'original' ? { effectiveOn: original.effectiveOn } : {}
  const day = openDay(books, { tenantId: command.tenantId, at: command.at, ...asked })
  if (!day.ok) return day
  const changes = new Map<string, BalanceChange>()
  for (const leg of legs) addLeg(changes, leg)
  const refused = apply(books, command, legs, changes)
  if (refused !== undefined) return refused
  original.reversed = true
  const facts = {
    legs,
    effectiveOn: day.value,
    type: `${original.type}_reversal`,
    correlationId: original.correlationId,
    reverses: command.reverses,
  }
  return accept({ transaction: book(books, command, facts) })
}

function decideHold(books: LockedBooks, command: OpenHold): Outcome<LedgerResult> {
  const { tenantId, holdId, debitAccountId, creditAccountId, currency, amount, at } = command
  const legs: Leg[] = [
    { accountId: debitAccountId, currency, amount },
    { accountId: creditAccountId, currency, amount: -amount },
  ]
  const changes = new Map<string, BalanceChange>()
  changeOf(changes, debitAccountId).debitsPending += amount
  changeOf(changes, creditAccountId).creditsPending += amount
  const refused = apply(books, { tenantId }, legs, changes)
  if (refused !== undefined) return refused
  const hold: HoldState = {
    tenantId,
    holdId,
    debitAccountId,
    creditAccountId,
    currency,
    amount,
    postedAmount: 0n,
    releasedAmount: 0n,
    status: 'pending',
    expiresAt: command.expiresAt ?? null,
    correlationId: command.correlationId ?? null,
    description: command.description ?? null,
    metadata: command.metadata ?? {},
    version: 1,
    eventSequence: 1,
    createdAt: at,
    isNew: true,
    changed: true,
  }
  books.holds.set(`${tenantId} ${holdId}`, hold)
  return accept({ hold: { ...hold } })
}

function decideHoldCommand(books: LockedBooks, command: HoldCommand): Outcome<LedgerResult> {
  const hold = books.holds.get(`${command.tenantId} ${command.holdId}`)
  if (hold === undefined) return refuse('hold_not_found')
  if (hold.status !== 'pending') return refuse('hold_not_pending', { current_status: hold.status })
  const lapsed = hold.expiresAt !== null && hold.expiresAt <= command.at
  if (command.kind === 'expire_hold' && !lapsed) return refuse('hold_not_pending')
  // The time of decision counts, even when the sweep is late.
  if (lapsed && (command.kind === 'post_hold' || command.kind === 'increase_hold')) {
    return refuse('hold_expired')
  }
  switch (command.kind) {
    case 'post_hold':
      return decidePostHold(books, hold, command)
    case 'increase_hold': {
      const changes = new Map<string, BalanceChange>()
      changeOf(changes, hold.debitAccountId).debitsPending += command.amount
      changeOf(changes, hold.creditAccountId).creditsPending += command.amount
      const refused = apply(books, command, heldLegs(hold, command.amount), changes)
      if (refused !== undefined) return refused
      hold.amount += command.amount
      return accept({ hold: touched(hold) })
    }
    case 'void_hold':
    case 'expire_hold': {
      const refused = release(books, hold, restOf(hold))
      if (refused !== undefined) return refused
      hold.releasedAmount += restOf(hold)
      hold.status = command.kind === 'void_hold' ? 'voided' : 'expired'
      return accept({ hold: touched(hold) })
    }
  }
}

function decidePostHold(
  books: LockedBooks,
  hold: HoldState,
  command: PostHold,
): Outcome<LedgerResult> {
  const rest = restOf(hold)
  const amount = command.amount ?? rest
  if (amount > rest) return refuse('hold_amount_exceeded', { remaining: Number(rest) })
  const legs = command.legs ?? heldLegs(hold, amount)
  const unfit = checkLegs(legs)
  if (unfit !== undefined) return unfit
  const taken = legs
    .filter(({ accountId }) => accountId === hold.debitAccountId)
    .reduce((sum, leg) => sum + leg.amount, 0n)
  if (taken !== amount) return refuse('hold_entries_mismatch', { taken: Number(taken) })
  const day = openDay(books, command)
  if (!day.ok) return day
  const settled = command.final === false && amount < rest ? amount : rest
  const changes = new Map<string, BalanceChange>()
  changeOf(changes, hold.debitAccountId).debitsPending -= settled
  changeOf(changes, hold.creditAccountId).creditsPending -= settled
  for (const leg of legs) addLeg(changes, leg)
  const refused = apply(books, command, legs, changes)
  if (refused !== undefined) return refused
  hold.postedAmount += amount
  hold.releasedAmount += settled - amount
  if (restOf(hold) === 0n) hold.status = 'posted'
  const facts = {
    legs,
    effectiveOn: day.value,
    correlationId: hold.correlationId,
    holdId: hold.holdId,
  }
  return accept({ transaction: book(books, command, facts), hold: touched(hold) })
}

function release(books: LockedBooks, hold: HoldState, amount: bigint): Refused | undefined {
  const changes = new Map<string, BalanceChange>()
  changeOf(changes, hold.debitAccountId).debitsPending -= amount
  changeOf(changes, hold.creditAccountId).creditsPending -= amount
  // A release gives back; a block or a closed door must not keep it.
  return apply(books, { tenantId: hold.tenantId, force: true }, [], changes)
}

function touched(hold: HoldState): HoldState {
  hold.version += 1
  hold.eventSequence += 1
  hold.changed = true
  return { ...hold }
}

export function restOf({ amount, postedAmount, releasedAmount }: HoldState): bigint {
  return amount - postedAmount - releasedAmount
}

function heldLegs({ debitAccountId, creditAccountId, currency }: HoldState, amount: bigint): Leg[] {
  return [
    { accountId: debitAccountId, currency, amount },
    { accountId: creditAccountId, currency, amount: -amount },
  ]
}

/** Entries that cannot be a transaction whatever the accounts say. */
function checkLegs(legs: readonly Leg[]): Refused | undefined {
  if (legs.length < 2) return refuse('too_few_entries')
  if (legs.length > MAX_ENTRIES) return refuse('too_many_entries')
  const [first, second] = legs as [Leg, Leg]
  if (legs.length === 2) {
    const balanced = first.currency === second.currency && first.amount === -second.amount
    return balanced ? undefined : refuse('unbalanced')
  }
  const sums = new Map<string, bigint>()
  for (const { currency, amount } of legs) sums.set(currency, (sums.get(currency) ?? 0n) + amount)
  const off = [...sums].find(([, sum]) => sum !== 0n)
  return off === undefined ? undefined : refuse('unbalanced', { currency: off[0] })
}

function openDay(
  books: LockedBooks,
  { tenantId, at, effectiveOn, ifClosed }: Pick<Post, 'tenantId' | 'at' | 'effectiveOn' | 'ifClosed'>,
): Outcome<string> {
  const book = books.books.get(tenantId)
  if (book === undefined) throw new Error(`tenant ${tenantId} has no books`)
  const today = businessDay(at, book.timeZone)
  const day = effectiveOn ?? today
  if (day > daysAfter(today, MAX_DAYS_AHEAD)) return refuse('effective_date_out_of_range')
  if (day > book.closedThrough) return accept(day)
  if (ifClosed === 'next_open') return accept(daysAfter(book.closedThrough, 1))
  return refuse('period_closed', { closed_through: book.closedThrough })
}

function changeOf(changes: Map<string, BalanceChange>, accountId: string): BalanceChange {
  let change = changes.get(accountId)
  if (change === undefined) {
    change = { debitsPosted: 0n, creditsPosted: 0n, debitsPending: 0n, creditsPending: 0n }
    changes.set(accountId, change)
  }
  return change
}

function addLeg(changes: Map<string, BalanceChange>, { accountId, amount }: Leg): void {
  const change = changeOf(changes, accountId)
  if (amount > 0n) change.debitsPosted += amount
  else change.creditsPosted -= amount
}

interface Permission {
  readonly tenantId: string
  readonly force?: boolean
  readonly expectedVersions?: ReadonlyMap<string, bigint>
}

/** Checks every account against the whole command, then changes all of them or none. */
function apply(
  books: LockedBooks,
  { tenantId, force = false, expectedVersions }: Permission,
  legs: readonly Leg[],
  changes: ReadonlyMap<string, BalanceChange>,
): Refused | undefined {
  for (const [index, leg] of legs.entries()) {
    const refused = checkAccount(books.balances.get(`${tenantId} ${leg.accountId}`), leg, index, force)
    if (refused !== undefined) return refused
  }
  for (const [accountId, change] of changes) {
    const state = books.balances.get(`${tenantId} ${accountId}`)
    if (state === undefined) return refuse('account_not_found', { account_id: publicId('acc', accountId) })
    const expected = expectedVersions?.get(accountId)
    if (expected !== undefined && expected !== state.lastSeq) {
      return refuse('version_mismatch', { current_version: Number(state.lastSeq) })
    }
    const refused = checkLimits(state, change, force)
    if (refused !== undefined) return refused
  }
  for (const [accountId, change] of changes) {
    changeBalance(books.balances.get(`${tenantId} ${accountId}`) as BalanceState, change)
  }
  return undefined
}

function checkAccount(
  state: BalanceState | undefined,
  { accountId, currency, amount }: Leg,
  index: number,
  force: boolean,
): Refused | undefined {
  const facts = { account_id: publicId('acc', accountId), entry: index }
  if (state === undefined) return refuse('account_not_found', facts)
  if (state.currency !== currency) {
    return refuse('currency_mismatch', { ...facts, account_currency: state.currency })
  }
  if (state.status !== 'open' && !force) return refuse('account_closed', facts)
  if (force || state.blocked === 'none') return undefined
  const incoming = amount > 0n === (state.normalSide === 'debit')
  const stopped = state.blocked === 'both' || state.blocked === (incoming ? 'incoming' : 'outgoing')
  return stopped ? refuse('account_blocked', { ...facts, blocked: state.blocked }) : undefined
}

function checkLimits(
  state: BalanceState,
  change: BalanceChange,
  force: boolean,
): Refused | undefined {
  const after = {
    normalSide: state.normalSide,
    debitsPosted: state.debitsPosted + change.debitsPosted,
    creditsPosted: state.creditsPosted + change.creditsPosted,
    debitsPending: state.debitsPending + change.debitsPending,
    creditsPending: state.creditsPending + change.creditsPending,
  }
  const account_id = publicId('acc', state.accountId)
  const booked = posted(after)
  const open = available(after)
  if (
    booked > MAX_BALANCE ||
    booked < -MAX_BALANCE ||
    open < -MAX_BALANCE ||
    after.debitsPosted > MAX_TOTAL ||
    after.creditsPosted > MAX_TOTAL ||
    after.debitsPending > MAX_BALANCE ||
    after.creditsPending > MAX_BALANCE
  ) {
    return refuse('balance_out_of_range', { account_id })
  }
  if (force) return undefined
  // An account may lawfully be beyond a limit already; then what does not make it worse must pass.
  const before = available(state)
  if (state.minAvailable !== null && open < state.minAvailable && open < before) {
    return refuse('insufficient_funds', { account_id, available: Number(before) })
  }
  if (state.maxBalance !== null && booked > state.maxBalance && booked > posted(state)) {
    return refuse('balance_limit_exceeded', { account_id, max_balance: Number(state.maxBalance) })
  }
  return undefined
}

function changeBalance(state: BalanceState, change: BalanceChange): void {
  state.debitsPosted += change.debitsPosted
  state.creditsPosted += change.creditsPosted
  state.debitsPending += change.debitsPending
  state.creditsPending += change.creditsPending
  state.changed = true
  // The database checks available >= least(min_available, forced_floor): below the limit the floor
  // is what is left now, so that the next worsening is caught there too.
  const open = available(state)
  const within = state.minAvailable === null || open >= state.minAvailable
  state.forcedFloor = within ? null : open
}

interface BookingFacts {
  readonly legs: readonly Leg[]
  readonly effectiveOn: string
  readonly type?: string
  readonly correlationId?: string | null
  readonly holdId?: string
  readonly reverses?: string
}

/** Writes the booking into the batch: numbers its entries and chains the running balances. */
function book(
  books: LockedBooks,
  command: Post | Reverse | PostHold,
  facts: BookingFacts,
): BookedTransaction {
  const { tenantId, transactionId } = command
  const entries = chain(books, tenantId, facts.legs)
  const currency = facts.legs[0]?.currency as string
  const amount = facts.legs.reduce(
    (sum, leg) => (leg.currency === currency && leg.amount > 0n ? sum + leg.amount : sum),
    0n,
  )
  const transaction: BookedTransaction = {
    tenantId,
    transactionId,
    type: facts.type ?? (command as Post | PostHold).type,
    effectiveOn: facts.effectiveOn,
    bookedMicros: books.bookedMicros,
    currency,
    amount,
    correlationId: facts.correlationId ?? (command.kind === 'post' ? (command.correlationId ?? null) : null),
    holdId: facts.holdId ?? null,
    reverses: facts.reverses ?? null,
    externalId: command.kind === 'post' ? (command.externalId ?? null) : null,
    dedupeKey: command.kind === 'post' ? (command.dedupeKey ?? null) : null,
    description: command.description ?? null,
    metadata: command.metadata ?? {},
    entries,
    requestId: command.requestId,
    at: command.at,
  }
  books.booked.push(transaction)
  return transaction
}

/** The states hold the balance after the whole transaction: walk back to number leg by leg. */
function chain(books: LockedBooks, tenantId: string, legs: readonly Leg[]): BookedEntry[] {
  const running = new Map<BalanceState, bigint>()
  for (const leg of legs) {
    const state = books.balances.get(`${tenantId} ${leg.accountId}`) as BalanceState
    const after = running.get(state) ?? state.debitsPosted - state.creditsPosted
    running.set(state, after - leg.amount)
  }
  return legs.map((leg) => {
    const state = books.balances.get(`${tenantId} ${leg.accountId}`) as BalanceState
    const balanceAfter = (running.get(state) as bigint) + leg.amount
    running.set(state, balanceAfter)
    state.lastSeq += 1n
    state.booked = true
    return { ...leg, seq: state.lastSeq, balanceAfter }
  })
}
