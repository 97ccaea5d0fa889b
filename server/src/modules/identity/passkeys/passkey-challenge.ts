import { hash, randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { deleteChallenge, insertChallenge } from './passkey-challenge.queries.ts'

/**
 * What an authenticator signs, so that no signature counts twice (WebAuthn Level 3 §13.4.3), in
 * base64url. It stands in the database as the hash of itself and of what it is for: any node can
 * finish what another began, and one given to sign in enrols nothing.
 */
const BYTES = 32
/** Shorter: who looks for a security key is too late. Longer: what was signed can be held back. */
export const CHALLENGE_MS = 180_000

const SIGN_IN = 'sign_in'

export async function newSignInChallenge(pool: Pool, tenantId: string, at: Date): Promise<string> {
  return await newChallenge(pool, { tenantId, purpose: SIGN_IN }, at)
}

/** For the passkey of one user. */
export async function newEnrolmentChallenge(
  pool: Pool,
  { tenantId, userId }: { readonly tenantId: string; readonly userId: string },
  at: Date,
): Promise<string> {
  return await newChallenge(pool, { tenantId, purpose: userId }, at)
}

/** What somebody says he was given. */
export interface ShownChallenge {
  readonly tenantId: string
  readonly challenge: string
  readonly at: Date
}

/** True for exactly one of any number of callers, and in time. */
export async function takeSignInChallenge(pool: Pool, shown: ShownChallenge): Promise<boolean> {
  return await takeChallenge(pool, shown, SIGN_IN)
}

/** The same, for the user that it was given to. */
export async function takeEnrolmentChallenge(
  pool: Pool,
  shown: ShownChallenge,
  userId: string,
): Promise<boolean> {
  return await takeChallenge(pool, shown, userId)
}

async function newChallenge(
  pool: Pool,
  { tenantId, purpose }: { readonly tenantId: string; readonly purpose: string },
  at: Date,
): Promise<string> {
  const challenge = randomBytes(BYTES).toString('base64url')
  await insertChallenge(databaseOver(pool), {
    tenantId,
    idHash: idOf(challenge, purpose),
    expiresAt: new Date(at.getTime() + CHALLENGE_MS),
  })
  return challenge
}

async function takeChallenge(
  pool: Pool,
  { tenantId, challenge, at }: ShownChallenge,
  purpose: string,
): Promise<boolean> {
  return await deleteChallenge(databaseOver(pool), tenantId, idOf(challenge, purpose), at)
}

function idOf(challenge: string, purpose: string): Buffer {
  return hash('sha256', JSON.stringify([challenge, purpose]), 'buffer')
}
