import type { NewBatch } from './post-transaction-batches.ts'
import { type NewTransaction, weightOf } from './post-transactions.ts'

// What one database transaction takes on: 500 transactions, or 2,000 entries (see weightOf).
export const MAX_CHUNK_WEIGHT = 500

export function totalWeight(transactions: readonly NewTransaction[]): number {
  return transactions.reduce((sum, transaction) => sum + weightOf(transaction), 0)
}

/**
 * Cuts a request that is too large for one database transaction. Each chunk commits under a key of
 * its own, so that a request that is repeated after a crash replays what is done and goes on.
 */
export function chunksOf(batch: NewBatch): NewBatch[] {
  const chunks: NewTransaction[][] = [[]]
  let weight = 0
  for (const transaction of batch.transactions) {
    const own = weightOf(transaction)
    if (weight > 0 && weight + own > MAX_CHUNK_WEIGHT) {
      chunks.push([])
      weight = 0
    }
    chunks.at(-1)?.push(transaction)
    weight += own
  }
  return chunks.map((transactions) => ({ ...batch, transactions }))
}

/**
 * The key of a chunk. The first has the request's own, so that the key is taken for every other
 * operation, as any used key is.
 */
export function keyOfChunk(key: string, index: number): string {
  return index === 0 ? key : `${key}#${index}`
}
