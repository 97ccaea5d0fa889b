import type { Pool } from 'pg'
import { elapsed } from '../../platform/clock.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { DatabaseUnavailable } from '../../platform/db/transaction.ts'
import { type RevocationKind, type RevocationRow, readRevocations } from './revocation.queries.ts'

/**
 * What was revoked, in memory, so that every request can be held against it without a round trip.
 *
 * It follows the table by asking: a lost notification would leave a revoked token in use until its
 * end, a lost poll is made up by the next. The set counts for two seconds after the look that it
 * comes from began; beyond that whoever needs it asks the database, all who wait by one statement,
 * and gets `DatabaseUnavailable` where there is no answer.
 */
export interface Revocations {
  /** Changes whenever the set does: what was found clean at a version is clean while it lasts. */
  version(): number
  isFresh(): boolean
  /** Makes the set fresh, or throws `DatabaseUnavailable`. */
  freshen(): Promise<void>
  /** For who has just revoked: this node need not wait for its next look. Never throws. */
  lookNow(): Promise<void>
  /** Whether any of the rows ends this token. */
  hasEnded(token: IssuedToken): boolean
  /** Calls back with each client that was revoked, on any node. */
  onClient(heard: (clientId: string) => void): void
  /** No more looks from now on; the set grows stale. */
  stop(): void
}

export interface IssuedToken {
  readonly tenantId: string
  readonly clientId: string
  /** `usr_…`, or the client's id again. */
  readonly subject: string
  readonly jti: string
  readonly grantId?: string | undefined
  /** Milliseconds. */
  readonly issuedAt: number
}

const POLL_MS = 500 // a revocation is to be seen within a second
const FRESH_MS = 2_000
const ANSWER_MS = 2_000
const SWEEP_ROWS = 1_000 // fewer rows may stay beyond their use

interface Ended {
  readonly notBefore: number
  readonly dropAfter: number
}

/** Loads everything first: a node that does not know what was revoked must not listen. */
export async function openRevocations(
  pool: Pool,
  onError: (error: unknown) => void,
): Promise<Revocations> {
  const db = databaseOver(pool)
  const ended = new Map<string, Ended>()
  const listeners: ((clientId: string) => void)[] = []
  let version = 0
  let from = '0'
  let freshSince = -Infinity
  let sweepAt = SWEEP_ROWS
  let looking: { readonly began: number; readonly done: Promise<void> } | undefined
  let failing = false
  let stopped = false

  function isFresh(): boolean {
    return elapsed() - freshSince <= FRESH_MS
  }

  /** One look at a time; a look that hangs is left behind. */
  function look(): Promise<void> {
    const began = elapsed()
    if (looking !== undefined && began - looking.began < ANSWER_MS) return looking.done
    const mine = { began, done: read(began) }
    looking = mine
    const end = () => {
      if (looking === mine) looking = undefined
    }
    mine.done.then(end, end)
    return mine.done
  }

  async function read(began: number): Promise<void> {
    const { rows, next } = await readRevocations(db, from)
    for (const row of rows) remember(row)
    from = BigInt(next) > BigInt(from) ? next : from
    freshSince = Math.max(freshSince, began)
    if (ended.size > sweepAt) sweep()
  }

  function remember({ tenant_id, kind, value, not_before, drop_after }: RevocationRow): void {
    const key = keyOf(kind, tenant_id, value)
    const entry = { notBefore: not_before.getTime(), dropAfter: drop_after.getTime() }
    const known = ended.get(key)
    if (known?.notBefore === entry.notBefore && known.dropAfter === entry.dropAfter) return
    ended.set(key, entry)
    version += 1
    if (kind === 'client') for (const heard of listeners) heard(value)
  }

  // The newest row tells the time closely enough: what goes must only be old enough.
  function sweep(): void {
    let newest = 0
    for (const { dropAfter } of ended.values()) newest = Math.max(newest, dropAfter)
    for (const [key, { dropAfter }] of ended) {
      if (dropAfter < newest - SWEPT_AFTER_MS) ended.delete(key)
    }
    sweepAt = Math.max(SWEEP_ROWS, ended.size * 2)
  }

  async function freshen(): Promise<void> {
    for (let attempt = 1; attempt <= 2 && !isFresh(); attempt += 1) await answered(look())
    if (!isFresh()) throw new DatabaseUnavailable(new Error('revocations are out of date'))
  }

  function isIn(key: string, issuedAt: number): boolean {
    const entry = ended.get(key)
    return entry !== undefined && issuedAt <= entry.notBefore
  }

  async function follow(): Promise<void> {
    try {
      await look()
      failing = false
    } catch (error) {
      if (!failing && !stopped && !isFresh()) {
        failing = true // said once, and again only after a good look
        onError(error)
      }
    }
    schedule()
  }

  function schedule(): void {
    if (!stopped) timer = setTimeout(() => void follow(), POLL_MS).unref()
  }

  // One that began before the commit may have missed it: its end is waited for, and another begun.
  async function lookNow(): Promise<void> {
    await looking?.done.catch(() => undefined)
    await answered(look()).catch(() => undefined)
  }

  let timer: NodeJS.Timeout | undefined
  await look()
  schedule()

  return {
    version: () => version,
    isFresh,
    freshen,
    lookNow,
    hasEnded({ tenantId, clientId, subject, jti, grantId, issuedAt }) {
      if (ended.size === 0) return false
      return (
        ended.has(keyOf('jti', tenantId, jti)) ||
        (grantId !== undefined && ended.has(keyOf('grant', tenantId, grantId))) ||
        isIn(keyOf('client', tenantId, clientId), issuedAt) ||
        isIn(keyOf('subject', tenantId, subject), issuedAt) ||
        isIn(keyOf('tenant', tenantId, tenantId), issuedAt)
      )
    },
    onClient: (heard) => void listeners.push(heard),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

// Rows are made to last 16 minutes: of two of which one was made an hour after the other, the older
// ends no living token.
const SWEPT_AFTER_MS = 3_600_000

function keyOf(kind: RevocationKind, tenantId: string, value: string): string {
  return `${kind} ${tenantId} ${value}`
}

async function answered(look: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<void>()
  const late = setTimeout(() => reject(new Error('no answer in time')), ANSWER_MS)
  try {
    await Promise.race([look, promise])
  } catch (error) {
    throw new DatabaseUnavailable(error)
  } finally {
    clearTimeout(late)
  }
}
