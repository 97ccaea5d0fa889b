import type { Outcome } from '../../platform/errors.ts'
import type { BalanceState } from './balance.ts'
import { decide } from './decide.ts'
import { refuse } from './ledger.errors.ts'
import type { LockedBooks } from './lock-books.ts'
import type { LedgerResult, Post } from './posting.ts'

/**
 * Decides all or none: on the first refusal everything is put back as it was, the culprit keeps its
 * reason and the others are `group_refused`.
 */
export function decideTogether(
  books: LockedBooks,
  commands: readonly Post[],
): Outcome<LedgerResult>[] {
  const before = copyOf(books, commands)
  const booked = books.booked.length
  const outcomes: Outcome<LedgerResult>[] = []
  for (const command of commands) {
    const outcome = decide(books, command)
    outcomes.push(outcome)
    if (outcome.ok) continue
    for (const [state, copy] of before) Object.assign(state, copy)
    books.booked.length = booked
    forgetNames(books, commands, outcomes)
    const culprit = outcomes.length - 1
    return commands.map((_, index) => (index === culprit ? outcome : refuse('group_refused')))
  }
  return outcomes
}

function copyOf(
  { balances }: LockedBooks,
  commands: readonly Post[],
): Map<BalanceState, BalanceState> {
  const copies = new Map<BalanceState, BalanceState>()
  for (const { tenantId, legs } of commands) {
    for (const { accountId } of legs) {
      const state = balances.get(`${tenantId} ${accountId}`)
      if (state !== undefined && !copies.has(state)) copies.set(state, { ...state })
    }
  }
  return copies
}

// Only what this group has put there: a name taken before belongs to a transaction that stays.
function forgetNames(
  { byExternalId, byDedupeKey }: LockedBooks,
  commands: readonly Post[],
  outcomes: readonly Outcome<LedgerResult>[],
): void {
  for (const [index, outcome] of outcomes.entries()) {
    if (!outcome.ok || outcome.value.transaction === undefined) continue
    const { tenantId, externalId, dedupeKey } = commands[index] as Post
    if (externalId !== undefined) byExternalId.delete(`${tenantId} ${externalId}`)
    if (dedupeKey !== undefined) byDedupeKey.delete(`${tenantId} ${dedupeKey}`)
  }
}
