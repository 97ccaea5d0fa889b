import type { Pool } from 'pg'
import type { Clock } from '../../../platform/clock.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { touchClients } from './client.queries.ts'

/** Remembers which clients took tokens, for those who wonder whether one is still in use. */
export interface ClientUsage {
  used(clientId: string): void
  /** Writes what was not written yet. */
  close(): Promise<void>
}

const WRITE_MS = 60_000 // a write per minute, not per token; what a kill -9 loses is a minute

export function openClientUsage(
  pool: Pool,
  { clock, onError }: { readonly clock: Clock; readonly onError: (error: unknown) => void },
): ClientUsage {
  const db = databaseOver(pool)
  let used = new Set<string>()

  async function write(): Promise<void> {
    if (used.size === 0) return
    const ids = [...used]
    used = new Set()
    try {
      await touchClients(db, ids, clock.now())
    } catch (error) {
      onError(error)
    }
  }

  const timer = setInterval(() => void write(), WRITE_MS).unref()
  return {
    used: (clientId) => void used.add(clientId),
    async close() {
      clearInterval(timer)
      await write()
    },
  }
}
