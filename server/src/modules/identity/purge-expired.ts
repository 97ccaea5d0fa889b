import type { Pool } from 'pg'
import { databaseOver } from '../../platform/db/dialect.ts'
import { deleteExpired } from './artifact.queries.ts'
import { deleteDroppedRevocations } from './revocation.queries.ts'
import { deleteForgotten } from './users/login-attempt.queries.ts'

const BATCH = 1_000 // each is a transaction of its own: a long one would hold back vacuum

/** Housekeeping, every few minutes: forgets what expired long enough ago. Answers how many rows. */
export async function purgeExpired(pool: Pool): Promise<number> {
  const db = databaseOver(pool)
  let total = 0
  for (;;) {
    const gone =
      (await deleteExpired(db, BATCH)) +
      (await deleteDroppedRevocations(db, BATCH)) +
      (await deleteForgotten(db, BATCH))
    total += gone
    if (gone < BATCH) return total
  }
}
