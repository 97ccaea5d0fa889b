import type { Pool } from 'pg'
import { recordAudit } from '../../audit/index.ts'
import { type Actor, systemActor } from '../../../platform/actor.ts'
import type { Sealing } from '../../../platform/crypto/sealing.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { publicId } from '../../../platform/ids.ts'
import { hasPasskey } from '../passkeys/passkey.queries.ts'
import { relyingPartyOf } from '../passkeys/relying-party.ts'
import type { Level } from '../sign-in-level.ts'
import {
  type CredentialRow,
  listCredentials,
  replacePasswordHash,
  useTotpStep,
} from './credential.queries.ts'
import { type Tried, brake, releaseAddress, releasePerson } from './login-brakes.ts'
import { hashPassword, isOutdated, isPassword } from './password-hash.ts'
import { stepOfCode } from './totp.ts'
import { totpContext } from './totp-context.ts'
import { type UserRow, findUserByName } from './user.queries.ts'

/**
 * From a name and a password, and a one-time code, to a person.
 *
 * A customer with a second factor is asked for it once the password was right: for a code, or for a
 * passkey where he has no codes. (How a passkey alone signs in: `passkeys/check-passkey.ts`.) An operator is asked
 * always, whoever typed whatever: only with both does an answer differ, so that nobody learns from
 * us that he has found a password or a name. The answer to a wrong name takes as long as that to a
 * wrong password.
 */
export interface SignInParts {
  readonly issuer: string
  readonly pool: Pool
  readonly sealing: Sealing
}

/** An attempt, and the program through which it is made. */
export interface SignInTry extends Tried {
  readonly requestId: string
  /** `cli_…`. None: at the bank's own pages. */
  readonly clientId?: string
}

export type SignInStep =
  | { readonly kind: 'signed_in'; readonly user: UserRow; readonly level: SignInLevel }
  | { readonly kind: 'code_needed'; readonly passwordOk: boolean }
  | { readonly kind: 'passkey_needed' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'blocked'; readonly until: Date }

/** How sure we are of somebody: `acr`, and the RFC 8176 names of what was used. */
export interface SignInLevel {
  readonly acr: Level
  readonly amr: readonly string[]
}

export async function checkPassword(
  { issuer, pool }: SignInParts,
  tried: SignInTry,
  password: string,
): Promise<SignInStep> {
  const until = await brake(pool, tried)
  if (until !== undefined) return { kind: 'blocked', until }
  const { user, factors } = await personOf(pool, tried)
  const stored = factors.get('password')?.password_hash ?? undefined
  const right = (await isPassword(password, stored)) && user !== undefined
  if (right) await releaseAddress(pool, tried)
  if (tried.kind === 'operator') return { kind: 'code_needed', passwordOk: right }
  if (!right) return await refused(pool, tried, user)
  await renew(pool, user, password, stored)
  if (factors.has('totp')) return { kind: 'code_needed', passwordOk: true }
  if (await mayUsePasskey(issuer, pool, user)) return { kind: 'passkey_needed' }
  return await signedIn(pool, tried, user, { acr: 'ch:1', amr: ['pwd'] })
}

export async function checkCode(
  { pool, sealing }: SignInParts,
  tried: SignInTry,
  { passwordOk, code }: { readonly passwordOk: boolean; readonly code: string },
): Promise<SignInStep> {
  const until = await brake(pool, tried)
  if (until !== undefined) return { kind: 'blocked', until }
  const { user, factors } = await personOf(pool, tried)
  const step = stepOf(sealing, factors.get('totp'), code, tried.at)
  if (user === undefined || step === undefined || !passwordOk) {
    return await refused(pool, tried, user)
  }
  const { tenant_id: tenantId, user_id: userId } = user
  const first = await inTransaction(pool, (tx) => useTotpStep(tx, tenantId, userId, step))
  if (!first) return await refused(pool, tried, user)
  await releaseAddress(pool, tried)
  return await signedIn(pool, tried, user, { acr: 'ch:2', amr: ['pwd', 'otp', 'mfa'] })
}

async function mayUsePasskey(issuer: string, pool: Pool, user: UserRow): Promise<boolean> {
  const party = relyingPartyOf(issuer)
  if (party === undefined) return false
  return await hasPasskey(databaseOver(pool), user.tenant_id, user.user_id, party.id)
}

/** The active person of this name and kind, with the same work where there is none. */
export async function personOf(pool: Pool, { tenantId, kind, username }: Tried) {
  const db = databaseOver(pool)
  const found = await findUserByName(db, tenantId, username)
  const user = found?.kind === kind && found.status === 'active' ? found : undefined
  const rows = await listCredentials(db, tenantId, user?.user_id ?? NOBODY)
  return { user, factors: new Map(rows.map((row) => [row.kind, row])) }
}

// What is looked up and written for a name that nobody has: the same work takes the same time.
const NOBODY = '00000000-0000-0000-0000-000000000000'

function stepOf(
  sealing: Sealing,
  factor: CredentialRow | undefined,
  code: string,
  at: Date,
): number | undefined {
  if (factor === undefined || factor.sealed_secret === null) return undefined
  const context = totpContext(factor.tenant_id, factor.user_id)
  return stepOfCode(sealing.open(factor.sealed_secret, context), code, at)
}

/** Hashes again where the settings have become stronger since. */
async function renew(
  pool: Pool,
  { tenant_id: tenantId, user_id: userId }: UserRow,
  password: string,
  stored: string | undefined,
): Promise<void> {
  if (stored === undefined || !isOutdated(stored)) return
  const change = { from: stored, to: await hashPassword(password) }
  await inTransaction(pool, (tx) => replacePasswordHash(tx, tenantId, userId, change))
}

export async function signedIn(
  pool: Pool,
  tried: SignInTry,
  user: UserRow,
  level: SignInLevel,
): Promise<SignInStep> {
  await releasePerson(pool, tried)
  await record(pool, tried, user.user_id, {
    actor: actorOf(tried, user),
    detail: { acr: level.acr },
  })
  return { kind: 'signed_in', user, level }
}

export async function refused(
  pool: Pool,
  tried: SignInTry,
  user: UserRow | undefined,
  because = 'wrong_factor',
): Promise<SignInStep> {
  const actor = { ...systemActor('sign_in', tried.tenantId), origin: tried.origin }
  const reason = user === undefined ? 'unknown_name' : because
  await record(pool, tried, user?.user_id ?? NOBODY, { actor, outcome: 'refused', reason })
  return { kind: 'refused' }
}

async function record(
  pool: Pool,
  { requestId, at }: SignInTry,
  resourceId: string,
  facts: { actor: Actor; outcome?: 'refused'; reason?: string; detail?: object },
): Promise<void> {
  const act = { requestId, at, action: 'user.sign_in', resourceKind: 'user', ...facts }
  await inTransaction(pool, async (tx) => {
    recordAudit(tx, [{ ...act, resourceId }])
  })
}

/** A person as he appears in the audit trail before he has a token, or without one. */
export function actorOf(
  {
    tenantId,
    clientId,
    kind,
    origin,
  }: Pick<SignInTry, 'tenantId' | 'clientId' | 'kind' | 'origin'>,
  user: UserRow,
): Actor {
  const id = publicId('usr', user.user_id)
  return {
    kind: kind === 'operator' ? 'operator' : 'app',
    tenantId,
    tenantMode: 'live',
    id,
    ...(clientId !== undefined && { clientId }),
    scopes: new Set(),
    principal: clientId === undefined ? id : `${clientId} ${id}`,
    origin,
  }
}
