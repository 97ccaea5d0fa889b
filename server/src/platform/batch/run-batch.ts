import type { Pool } from 'pg'
import type { Command } from '../command.ts'
import { DatabaseUnavailable, inTransaction, sqlState } from '../db/transaction.ts'
import { execute } from './execute.ts'
import type { Decision, Item } from './item.ts'

/** What became of one item. */
export type Settled =
  | { readonly item: AnyItem; readonly decision: Decision<unknown> }
  | { readonly item: AnyItem; readonly error: unknown }

type AnyItem = Item<never, unknown>

/**
 * Runs a batch to its end. An item that breaks the transaction is found by halving, so that it alone
 * fails; one lost race on a unique index is simply run again, since the winner is visible by then.
 */
export async function runBatch(
  pool: Pool,
  command: Command<never, unknown, unknown>,
  items: readonly AnyItem[],
  raced = false,
): Promise<Settled[]> {
  try {
    const decisions = await inTransaction(pool, (tx) => execute(tx, command, items))
    return items.map((item, index) => ({ item, decision: decisions[index] as Decision<unknown> }))
  } catch (error) {
    if (sqlState(error) === '23505' && !raced) return runBatch(pool, command, items, true)
    if (items.length === 1 || !isItemFault(error)) return items.map((item) => ({ item, error }))
    const half = items.length >> 1
    return [
      ...(await runBatch(pool, command, items.slice(0, half), raced)),
      ...(await runBatch(pool, command, items.slice(half), raced)),
    ]
  }
}

/** A data error or a broken invariant belongs to some item; a lost database belongs to none. */
function isItemFault(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return state.startsWith('22') || state.startsWith('23')
  return !(error instanceof DatabaseUnavailable)
}
