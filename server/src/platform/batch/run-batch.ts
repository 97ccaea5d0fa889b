import type { Pool } from 'pg'
import type { Command } from '../command.ts'
import { inTransaction, sqlState } from '../db/transaction.ts'
import { execute } from './execute.ts'
import type { Decision, Item } from './item.ts'

/**
 * Runs a batch to its end. An item that breaks the transaction is found by halving, so that it alone
 * fails; one lost race on a unique index is simply run again, since the winner is visible by then.
 */
export async function runBatch(
  pool: Pool,
  command: Command<never, unknown, unknown>,
  items: Item<never, unknown>[],
  raced = false,
): Promise<void> {
  let decisions: Decision<unknown>[]
  try {
    decisions = await inTransaction(pool, (tx) => execute(tx, command, items))
  } catch (error) {
    if (sqlState(error) === '23505' && !raced) return runBatch(pool, command, items, true)
    if (items.length === 1 || !isItemFault(error)) {
      for (const { fail } of items) fail(error)
      return
    }
    const half = items.length >> 1
    await runBatch(pool, command, items.slice(0, half), raced)
    await runBatch(pool, command, items.slice(half), raced)
    return
  }
  for (const [index, item] of items.entries()) item.settle(decisions[index] as Decision<unknown>)
}

/** A data error or a broken invariant belongs to some item; a lost database belongs to none. */
function isItemFault(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return state.startsWith('22') || state.startsWith('23')
  return !(error instanceof Error && error.name === 'DatabaseUnavailable')
}
