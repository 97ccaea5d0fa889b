import { type Outcome, type Refused, accept } from '../../platform/errors.ts'
import { publicId } from '../../platform/ids.ts'
import { addLegs, applyChanges } from './apply-changes.ts'
import { bookTransaction } from './book-transaction.ts'
import { checkLegs } from './check-legs.ts'
import { decideHoldCommand, decideOpenHold } from './decide-hold.ts'
import { refuse } from './ledger.errors.ts'
import type { LockedBooks } from './lock-books.ts'
import { openDay } from './open-day.ts'
import type {
  HoldCommand,
  LedgerCommand,
  LedgerResult,
  OpenHold,
  Post,
  Reverse,
} from './posting.ts'

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
      return decideOpenHold(books, command)
    case 'post_hold':
    case 'increase_hold':
    case 'void_hold':
    case 'expire_hold':
      return decideHoldCommand(books, command)
  }
}

function decidePost(books: LockedBooks, command: Post): Outcome<LedgerResult> {
  const { tenantId, dedupeKey, externalId, legs } = command
  if (dedupeKey !== undefined) {
    const existing = books.byDedupeKey.get(`${tenantId} ${dedupeKey}`)
    if (existing !== undefined) return accept({ existingTransactionId: existing })
  }
  const unfit = checkReferences(books, command) ?? checkLegs(legs)
  if (unfit !== undefined) return unfit
  const day = openDay(books, command)
  if (!day.ok) return day
  const refused = applyChanges(books, command, legs, addLegs(new Map(), legs))
  if (refused !== undefined) return refused

  const { transactionId, type } = command
  if (dedupeKey !== undefined) books.byDedupeKey.set(`${tenantId} ${dedupeKey}`, transactionId)
  if (externalId !== undefined) books.byExternalId.set(`${tenantId} ${externalId}`, transactionId)
  const correlationId = command.correlationId ?? null
  const facts = { legs, effectiveOn: day.value, type, correlationId }
  return accept({ transaction: bookTransaction(books, command, facts) })
}

function checkReferences(
  books: LockedBooks,
  { tenantId, externalId, corrects }: Post,
): Refused | undefined {
  const existing =
    externalId === undefined ? undefined : books.byExternalId.get(`${tenantId} ${externalId}`)
  if (existing !== undefined) {
    return refuse('external_id_taken', { existing_id: publicId('txn', existing) })
  }
  if (corrects === undefined || books.corrected.has(`${tenantId} ${corrects}`)) return undefined
  return refuse('corrected_transaction_not_found')
}

function decideReverse(books: LockedBooks, command: Reverse): Outcome<LedgerResult> {
  const { tenantId, at, reverses } = command
  const original = books.originals.get(`${tenantId} ${reverses}`)
  if (original === undefined) return refuse('transaction_not_found')
  if (original.module !== null) {
    return refuse('transaction_not_yours', { module: original.module })
  }
  if (original.reversed || original.reverses !== null) return refuse('already_reversed')
  const legs = original.legs.map((leg) => ({ ...leg, amount: -leg.amount }))
  const asked = command.effectiveOn === 'original' ? { effectiveOn: original.effectiveOn } : {}
  const day = openDay(books, { tenantId, at, ...asked })
  if (!day.ok) return day
  const refused = applyChanges(books, { tenantId }, legs, addLegs(new Map(), legs))
  if (refused !== undefined) return refused
  original.reversed = true
  const { correlationId } = original
  const type = `${original.type}_reversal`
  const facts = { legs, effectiveOn: day.value, type, correlationId, reverses }
  return accept({ transaction: bookTransaction(books, command, facts) })
}
