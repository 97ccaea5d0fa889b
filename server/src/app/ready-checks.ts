import type { Pools } from '../platform/db/pools.ts'
import { elapsed } from '../platform/clock.ts'
import type { ReadyCheck } from '../platform/http/health-routes.ts'

/**
 * What `/readyz` asks for: a database that answers and takes writes. Gateways do not count, or the
 * outage of one would take every node out.
 */
export function readyChecks(pools: Pools): () => Promise<readonly ReadyCheck[]> {
  return async () => [await databaseCheck(pools)]
}

async function databaseCheck({ money }: Pools): Promise<ReadyCheck> {
  const name = 'database'
  const began = elapsed()
  try {
    const { rows } = await money.query<{ read_only: string }>(
      `select current_setting('transaction_read_only') as read_only`,
    )
    if (rows[0]?.read_only !== 'off') return { name, ok: false, detail: 'it is read-only' }
    return { name, ok: true, detail: `${Math.round(elapsed() - began)} ms` }
  } catch {
    return { name, ok: false, detail: 'it does not answer' }
  }
}
