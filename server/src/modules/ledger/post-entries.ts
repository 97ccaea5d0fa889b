import type { Tx } from '../../platform/db/types.ts'
import type { Outcome } from '../../platform/errors.ts'
import { emit } from '../../platform/events/events.ts'
import { decide } from './decide.ts'
import { holdEvent, postedEvent } from './ledger.events.ts'
import { type LockedBooks, lockBooks } from './lock-books.ts'
import type { LedgerCommand, LedgerResult } from './posting.ts'
import { writeBalances, writeHolds, writeTransactions } from './posting.queries.ts'

/**
 * Books a batch: lock, decide, write, announce. Outcomes have the length and order of the commands.
 *
 * Once per transaction and as late as possible: a second call could take its locks in another order
 * and deadlock. A command that judges item by item does the same in three steps: `lockBooks` together
 * with its own locks, `decide` per item, `writeBooks` once.
 */
export async function postEntries(
  tx: Tx,
  commands: readonly LedgerCommand[],
): Promise<Outcome<LedgerResult>[]> {
  if (commands.length === 0) return []
  const books = await lockBooks(tx, commands)
  const outcomes = commands.map((command) => decide(books, command))
  writeBooks(tx, books)
  return outcomes
}

/** Writes and announces what was decided. Pipelined: a failure surfaces when the transaction ends. */
export function writeBooks(tx: Tx, books: LockedBooks): void {
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
  emit(tx, [
    ...books.booked.map(postedEvent),
    ...books.holdChanges.map(({ command, hold }) => holdEvent(command.kind, hold, command)),
  ])
}
