import { hash } from 'node:crypto'
import type { Pool } from 'pg'
import { inTransaction } from '../../../platform/db/transaction.ts'
import {
  type Brake,
  clearAttempts,
  countAttempt,
  takeBackAttempt,
} from './login-attempt.queries.ts'
import type { UserKind } from './user.queries.ts'

/**
 * Guessing is slow. A customer is slowed per name and address, so that a stranger who guesses at
 * somebody's name delays only himself; an operator, of whom there are few and who can be rung up,
 * is locked whole. An address that fails at many names is slowed for all of them.
 */
const CUSTOMER: Brake = { free: 5, firstPause: 2, longestPause: 900 }
const OPERATOR: Brake = { free: 10, firstPause: 1_800, longestPause: 1_800 }
// Fewer: a branch behind one address locks itself out. More: a list of leaked passwords is tried.
const ADDRESS: Brake = { free: 100, firstPause: 2, longestPause: 60 }

export interface Tried {
  readonly tenantId: string
  readonly kind: UserKind
  /** Normal, whether anybody has it or not. */
  readonly username: string
  readonly origin: string
  readonly at: Date
}

/** Counts an attempt. Undefined: it may be made. Else nothing of it is looked at before then. */
export async function brake(pool: Pool, tried: Tried): Promise<Date | undefined> {
  const { tenantId, kind, at } = tried
  const limit = kind === 'operator' ? OPERATOR : CUSTOMER
  const { person, address } = subjectsOf(tried)
  return await inTransaction(pool, async (tx) => {
    const until = await countAttempt(tx, { tenantId, subjectHash: person, at, brake: limit })
    if (until !== undefined) return until
    return await countAttempt(tx, { tenantId, subjectHash: address, at, brake: ADDRESS })
  })
}

/** The attempt was right so far: it does not count against the address. */
export async function releaseAddress(pool: Pool, tried: Tried): Promise<void> {
  const { address } = subjectsOf(tried)
  await inTransaction(pool, (tx) => takeBackAttempt(tx, tried.tenantId, address))
}

/** Somebody has signed in: what was counted against the name is forgotten. */
export async function releasePerson(pool: Pool, tried: Tried): Promise<void> {
  const { person } = subjectsOf(tried)
  await inTransaction(pool, (tx) => clearAttempts(tx, tried.tenantId, [person]))
}

function subjectsOf({ kind, username, origin }: Tried) {
  return {
    person: digest(kind === 'operator' ? [kind, username] : [kind, username, origin]),
    address: digest(['address', origin]),
  }
}

function digest(parts: readonly string[]): Buffer {
  return hash('sha256', JSON.stringify(parts), 'buffer')
}
