import type { Pool } from 'pg'
import { elapsed } from '../../platform/clock.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { DatabaseUnavailable } from '../../platform/db/transaction.ts'
import { type EndedTokens, createEndedTokens } from './ended-tokens.ts'
import { readRevocations } from './revocation.queries.ts'

/**
 * What was revoked, in memory, so that every request can be held against it without a round trip.
 *
 * It follows the table by asking: a lost notification would leave a revoked token in use until its
 * end, a lost poll is made up by the next. The set counts for two seconds after the look that it
 * comes from began; beyond that whoever needs it asks the database, all who wait by one statement,
 * and gets `DatabaseUnavailable` where there is no answer.
 */
export interface Revocations extends Omit<EndedTokens, 'remember'> {
  isFresh(): boolean
  /** Makes the set fresh, or throws `DatabaseUnavailable`. */
  freshen(): Promise<void>
  /** For who has just revoked: this node need not wait for its next look. Never throws. */
  lookNow(): Promise<void>
  /** No more looks from now on; the set grows stale. */
  stop(): void
}

const POLL_MS = 500 // a revocation is to be seen within a second
const FRESH_MS = 2_000 // Shorter: a slow poll costs a query per request. Longer: a revoked token lives as long.
const ANSWER_MS = 2_000 // a look that takes longer is given up, and another begun

/** Loads everything first: a node that does not know what was revoked must not listen. */
export async function openRevocations(
  pool: Pool,
  onError: (error: unknown) => void,
): Promise<Revocations> {
  const db = databaseOver(pool)
  const ended = createEndedTokens()
  let from = '0'
  let freshSince = -Infinity
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
    for (const row of rows) ended.remember(row)
    from = BigInt(next) > BigInt(from) ? next : from
    freshSince = Math.max(freshSince, began)
  }

  async function freshen(): Promise<void> {
    for (let attempt = 1; attempt <= 2 && !isFresh(); attempt += 1) await answered(look())
    if (!isFresh()) throw new DatabaseUnavailable(new Error('revocations are out of date'))
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
    isFresh,
    freshen,
    lookNow,
    version: ended.version,
    hasEnded: ended.hasEnded,
    onClient: ended.onClient,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
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
