import type { Pool } from 'pg'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { insertReplays } from '../artifact.queries.ts'

/** Ids that count once on any node. */
export interface ProofRegister {
  /** True for exactly one of any number of callers. `id`: 64 hex digits. */
  isNew(id: string, expiresAt: Date): Promise<boolean>
}

const MAX_BATCH = 500

interface Waiting {
  readonly expiresAt: Date
  readonly answer: PromiseWithResolvers<boolean>
}

/** What arrives while an insert is in flight is the next one: a statement for many proofs. */
export function openProofRegister(pool: Pool): ProofRegister {
  let waiting = new Map<string, Waiting>()
  let inserting = false

  async function insertWaiting(): Promise<void> {
    inserting = true
    while (waiting.size > 0) {
      const all = [...waiting]
      const batch = all.slice(0, MAX_BATCH)
      waiting = new Map(all.slice(MAX_BATCH))
      try {
        const ids = batch.map(([id]) => id)
        const expiries = batch.map(([, { expiresAt }]) => expiresAt)
        const fresh = await inTransaction(pool, (tx) => insertReplays(tx, ids, expiries))
        for (const [id, { answer }] of batch) answer.resolve(fresh.has(id))
      } catch (error) {
        for (const [, { answer }] of batch) answer.reject(error)
      }
    }
    inserting = false
  }

  return {
    isNew(id, expiresAt) {
      if (waiting.has(id)) return Promise.resolve(false)
      const answer = Promise.withResolvers<boolean>()
      waiting.set(id, { expiresAt, answer })
      if (!inserting) void insertWaiting()
      return answer.promise
    },
  }
}
