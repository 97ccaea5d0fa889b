import { type Outcome, type Refused, accept } from '../../platform/errors.ts'
import { type Changes, addLegs, applyChanges, changeOf } from './apply-changes.ts'
import { bookTransaction } from './book-transaction.ts'
import { checkLegs } from './check-legs.ts'
import { refuse } from './ledger.errors.ts'
import type { LockedBooks } from './lock-books.ts'
import { openDay } from './open-day.ts'
import type {
  HoldCommand,
  HoldState,
  IncreaseHold,
  LedgerResult,
  Leg,
  OpenHold,
  PostHold,
  ReleaseHold,
} from './posting.ts'

/** Sets the amount aside on both accounts; needs it available on the one that would pay. */
export function decideOpenHold(books: LockedBooks, command: OpenHold): Outcome<LedgerResult> {
  const { tenantId, holdId, debitAccountId, creditAccountId, currency, amount, at } = command
  if (debitAccountId === creditAccountId) return refuse('hold_accounts_equal')
  if (command.expiresAt !== undefined && command.expiresAt <= at) return refuse('hold_expired')
  const legs = heldLegs(command, amount)
  const refused = applyChanges(books, { tenantId }, legs, setAside(command, amount))
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

/** Posts, raises, gives up or expires a pending hold. Terminal is terminal. */
export function decideHoldCommand(books: LockedBooks, command: HoldCommand): Outcome<LedgerResult> {
  const hold = books.holds.get(`${command.tenantId} ${command.holdId}`)
  if (hold === undefined) return refuse('hold_not_found')
  if (hold.status !== 'pending') return refuse('hold_not_pending', { current_status: hold.status })
  const lapsed = hold.expiresAt !== null && hold.expiresAt <= command.at
  switch (command.kind) {
    // The time of decision counts, even when the sweep is late.
    case 'post_hold':
      return lapsed ? refuse('hold_expired') : postHold(books, hold, command)
    case 'increase_hold':
      return lapsed ? refuse('hold_expired') : increaseHold(books, hold, command)
    case 'expire_hold':
      return lapsed ? releaseHold(books, hold, command) : refuse('hold_not_expired')
    case 'void_hold':
      return releaseHold(books, hold, command)
  }
}

function postHold(books: LockedBooks, hold: HoldState, command: PostHold): Outcome<LedgerResult> {
  const rest = restOf(hold)
  const amount = command.amount ?? rest
  if (amount > rest) return refuse('hold_amount_exceeded', { remaining: Number(rest) })
  const legs = command.legs ?? heldLegs(hold, amount)
  const unfit = checkLegs(legs) ?? checkTaken(books, hold, legs, amount)
  if (unfit !== undefined) return unfit
  const day = openDay(books, command)
  if (!day.ok) return day
  const settled = command.final === false && amount < rest ? amount : rest
  const changes = addLegs(setAside(hold, -settled), legs)
  const refused = applyChanges(books, command, legs, changes)
  if (refused !== undefined) return refused
  hold.postedAmount += amount
  hold.releasedAmount += settled - amount
  if (restOf(hold) === 0n) hold.status = 'posted'
  const facts = {
    legs,
    effectiveOn: day.value,
    type: command.type,
    correlationId: hold.correlationId,
    holdId: hold.holdId,
  }
  return accept({ transaction: bookTransaction(books, command, facts), hold: touched(hold) })
}

/**
 * Entries of the caller's own must take exactly the amount from the held account: the one whose
 * available the hold has lowered. Where that is both or neither, it is the debited one.
 */
function checkTaken(
  { balances }: LockedBooks,
  hold: HoldState,
  legs: readonly Leg[],
  amount: bigint,
): Refused | undefined {
  const { tenantId, debitAccountId, creditAccountId } = hold
  const debited = balances.get(`${tenantId} ${debitAccountId}`)
  const credited = balances.get(`${tenantId} ${creditAccountId}`)
  const creditIsHeld = debited?.normalSide === 'debit' && credited?.normalSide === 'debit'
  const held = creditIsHeld ? creditAccountId : debitAccountId
  const net = legs.reduce((sum, leg) => (leg.accountId === held ? sum + leg.amount : sum), 0n)
  const taken = creditIsHeld ? -net : net
  return taken === amount ? undefined : refuse('hold_entries_mismatch', { taken: Number(taken) })
}

function increaseHold(
  books: LockedBooks,
  hold: HoldState,
  { tenantId, amount }: IncreaseHold,
): Outcome<LedgerResult> {
  const legs = heldLegs(hold, amount)
  const refused = applyChanges(books, { tenantId }, legs, setAside(hold, amount))
  if (refused !== undefined) return refused
  hold.amount += amount
  return accept({ hold: touched(hold) })
}

function releaseHold(
  books: LockedBooks,
  hold: HoldState,
  { tenantId, kind }: ReleaseHold,
): Outcome<LedgerResult> {
  const rest = restOf(hold)
  // A release gives back: no limit and no block must keep it.
  const refused = applyChanges(books, { tenantId, force: true }, [], setAside(hold, -rest))
  if (refused !== undefined) return refused
  hold.releasedAmount += rest
  hold.status = kind === 'void_hold' ? 'voided' : 'expired'
  return accept({ hold: touched(hold) })
}

type Sides = Pick<HoldState, 'debitAccountId' | 'creditAccountId'>

function setAside({ debitAccountId, creditAccountId }: Sides, amount: bigint): Changes {
  const changes: Changes = new Map()
  changeOf(changes, debitAccountId).debitsPending += amount
  changeOf(changes, creditAccountId).creditsPending += amount
  return changes
}

function heldLegs(
  { debitAccountId, creditAccountId, currency }: Sides & { readonly currency: string },
  amount: bigint,
): Leg[] {
  return [
    { accountId: debitAccountId, currency, amount },
    { accountId: creditAccountId, currency, amount: -amount },
  ]
}

function touched(hold: HoldState): HoldState {
  hold.version += 1
  hold.eventSequence += 1
  hold.changed = true
  return { ...hold }
}

export function restOf({
  amount,
  postedAmount,
  releasedAmount,
}: Pick<HoldState, 'amount' | 'postedAmount' | 'releasedAmount'>): bigint {
  return amount - postedAmount - releasedAmount
}
