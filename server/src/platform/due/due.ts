import type { Clock } from '../clock.ts'
import type { Tx } from '../db/types.ts'

/**
 * Rows with a due time, a lease and a fencing number.
 *
 * A claim leases due rows and commits at once. Each row is then worked on outside any transaction;
 * whoever completes it writes only where the lease number is still the one it claimed, so a worker
 * that was thought dead writes nothing. A process may die at any point: its leases run out and the
 * rows are claimed again. Waking up after a commit saves a poll and is never relied upon.
 */
export interface DueQueue<Row> {
  readonly name: string
  /** Tenants that have due rows now. */
  readonly tenants: (tx: Tx, now: Date) => Promise<readonly string[]>
  /** Leases up to `limit` due rows, a fair share of each tenant. */
  readonly claim: (
    tx: Tx,
    tenantIds: readonly string[],
    asked: { now: Date; limit: number; leaseSeconds: number },
  ) => Promise<readonly Row[]>
  /** Does the work and records its end. `signal` fires well before the lease runs out. */
  readonly work: (row: Row, signal: AbortSignal) => Promise<void>
  /** Gives back rows that were claimed but not begun. */
  readonly release: (tx: Tx, rows: readonly Row[]) => Promise<void>
  /** Rows worked on at once. */
  readonly maxInFlight: number
}

export interface DueRunner {
  /** A row of this tenant may be due. */
  wake(tenantId: string): void
  /** Claims no more, and resolves when what was begun has ended. */
  stop(): Promise<void>
}

// Shorter: a slow gateway is asked twice. Longer: a crashed worker delays its rows.
const LEASE_SECONDS = 30
const WORK_MS = 20_000 // the longest call, with room to commit its result within the lease
const POLL_MS = 250 // Shorter: more scans than work. Longer: what another process commits is late.
const MAX_TENANTS_PER_CLAIM = 50 // each is a probe of its own in one statement

export function startDue<Row>(
  db: Tx,
  queue: DueQueue<Row>,
  { clock, onError }: { clock: Clock; onError: (error: unknown) => void },
): DueRunner {
  const awake = new Set<string>()
  const begun = new Set<Promise<void>>()
  let stopped = false
  let claiming = false
  let scheduled = false
  let turning: Promise<void> = Promise.resolve()

  const timer = setInterval(() => turn(true), POLL_MS)

  function wake(tenantId: string): void {
    awake.add(tenantId)
    turnSoon()
  }

  // After this tick: what one commit makes due, and what one batch completes, is claimed as a set.
  function turnSoon(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      turn(false)
    })
  }

  function turn(scan: boolean): void {
    if (claiming || stopped) return
    claiming = true
    turning = claimAll(scan)
      .catch(onError)
      .finally(() => {
        claiming = false
        if (awake.size > 0 && begun.size < queue.maxInFlight) turn(false)
      })
  }

  async function claimAll(scan: boolean): Promise<void> {
    const limit = queue.maxInFlight - begun.size
    if (limit <= 0) return
    const now = clock.now()
    if (scan) for (const tenantId of await queue.tenants(db, now)) awake.add(tenantId)
    const tenantIds = [...awake].slice(0, MAX_TENANTS_PER_CLAIM)
    for (const tenantId of tenantIds) awake.delete(tenantId)
    const rows = await queue.claim(db, tenantIds, { now, limit, leaseSeconds: LEASE_SECONDS })
    // A full claim may have left rows behind; those tenants go to the back of the queue.
    if (rows.length >= limit) for (const tenantId of tenantIds) awake.add(tenantId)
    if (stopped) return queue.release(db, rows)
    for (const row of rows) begin(row)
  }

  function begin(row: Row): void {
    const work = queue
      .work(row, AbortSignal.timeout(WORK_MS))
      .catch(onError)
      .finally(() => {
        begun.delete(work)
        if (awake.size > 0) turnSoon()
      })
    begun.add(work)
  }

  return {
    wake,
    async stop() {
      stopped = true
      clearInterval(timer)
      await turning
      await Promise.all(begun)
    },
  }
}
