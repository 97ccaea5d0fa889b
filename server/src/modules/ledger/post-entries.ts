import { emit } from '../../platform/events/events.ts'
import type { Outcome } from '../../platform/errors.ts'
import type { Tx } from '../../platform/db/types.ts'
import { decide } from './decide.ts'
import { holdEvent, postedEvent } from './ledger.events.ts'
import { type LockedBooks, lockBooks } from './lock-books.ts'
import type { LedgerCommand, LedgerResult } from './posting.ts'
import { writeBalances, writeHolds, writeTransactions } from './posting.queries.ts'

/**
 * Books a batch: lock, decide, write, announce. Outcomes have the length and order of the commands.
 *
 * Once per transaction and as late as possible: a second call could take its locks in another order
 * and deadlock. The writes are pipelined, so a failure of theirs surfaces when the transaction ends.
 */
export async function postEntries(
  tx: Tx,
  commands: readonly LedgerCommand[],
): Promise<Outcome<LedgerResult>[]> {
  if (commands.length === 0) return []
  return postLocked(tx, await lockBooks(tx, commands), commands)
}

/** The second half, for a command that took the locks together with its own (`lockBooks`). */
export function postLocked(
  tx: Tx,
  books: LockedBooks,
  commands: readonly LedgerCommand[],
): Outcome<LedgerResult>[] {
  const outcomes = decide(books, commands)
  writeTransactions(tx, books.booked)
  writeBalances(
    tx,
    [...books.balances.values()].filter(({ changed }) => changed),
    books.bookedMicros,
  )
  writeHolds(
    tx,
    [...books.holds.values()].filter(({ changed }) => changed),
  )
  emit(tx, [...books.booked.map(postedEvent), ...holdEvents(commands, outcomes)])
  return outcomes
}

function holdEvents(commands: readonly LedgerCommand[], outcomes: readonly Outcome<LedgerResult>[]) {
  return commands.flatMap((command, index) => {
    const outcome = outcomes[index]
    if (command.kind === 'post' || command.kind === 'reverse' || outcome?.ok !== true) return []
    return outcome.value.hold === undefined ? [] : [holdEvent(command.kind, outcome.value.hold, command)]
  })
}
