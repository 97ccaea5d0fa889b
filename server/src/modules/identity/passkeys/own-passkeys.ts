import type { Pool } from 'pg'
import { recordAudit } from '../../audit/index.ts'
import type { Actor } from '../../../platform/actor.ts'
import type { Asked, Command } from '../../../platform/command.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import type { Outcome } from '../../../platform/errors.ts'
import { newId } from '../../../platform/ids.ts'
import type { TenantMode } from '../tenant.queries.ts'
import { reaches } from '../sign-in-level.ts'
import type { SignInLevel } from '../users/sign-in.ts'
import type { UserRow } from '../users/user.queries.ts'
import { enrolPasskeys } from './enrol-passkeys.ts'
import { CHALLENGE_MS, newEnrolmentChallenge, takeEnrolmentChallenge } from './passkey-challenge.ts'
import { KEY_ALGORITHMS, madeKeyOf, readAttestation } from './passkey-response.ts'
import { type PasskeyRow, listPasskeys } from './passkey.queries.ts'
import { relyingPartyOf } from './relying-party.ts'
import { removePasskeys } from './remove-passkeys.ts'
import { userHandle } from './user-handle.ts'

/**
 * What a person who is signed in does with his own passkeys.
 *
 * A new passkey is a way in that outlives the session. So it takes a sign-in of the last minutes,
 * and in a live tenant one with two factors: who stole a password would give himself a stronger
 * factor with it.
 */
export interface OwnPasskeyParts {
  readonly issuer: string
  readonly pool: Pool
}

/** A request of a person on his own page. */
export interface OwnRequest {
  readonly user: UserRow
  readonly actor: Actor
  readonly requestId: string
  readonly at: Date
}

export type ChangeFault = 'impossible' | 'sign_in_again' | 'second_factor_needed'

const RECENT_MS = 300_000 // as for an operator who changes clients

/** Why this person may not add or remove a passkey now. */
export function changeFault(
  issuer: string,
  visit: {
    readonly mode: TenantMode
    readonly level: SignInLevel
    readonly signedInAt: Date
    readonly at: Date
  },
): ChangeFault | undefined {
  const { mode, level, signedInAt, at } = visit
  if (relyingPartyOf(issuer) === undefined) return 'impossible'
  if (mode === 'live' && !reaches(level.acr, 'ch:2')) return 'second_factor_needed'
  return at.getTime() - signedInAt.getTime() > RECENT_MS ? 'sign_in_again' : undefined
}

export async function listOwnPasskeys(
  { pool }: OwnPasskeyParts,
  { tenant_id: tenantId, user_id: userId }: UserRow,
): Promise<PasskeyRow[]> {
  return await listPasskeys(databaseOver(pool), tenantId, [userId])
}

/** What a browser asks an authenticator to make (WebAuthn Level 3 §5.4), with bytes in base64url. */
export async function creationOptions(
  { issuer, pool }: OwnPasskeyParts,
  asked: { readonly user: UserRow; readonly bank: string; readonly at: Date },
  existing: readonly PasskeyRow[],
): Promise<object | undefined> {
  const party = relyingPartyOf(issuer)
  if (party === undefined) return undefined
  const { user, bank, at } = asked
  const { tenant_id: tenantId, user_id: userId, username, display_name: displayName } = user
  return {
    challenge: await newEnrolmentChallenge(pool, { tenantId, userId }, at),
    rp: { id: party.id, name: bank },
    // Two banks of one issuer may have people of one name, and a device shows this name only.
    user: {
      id: userHandle(userId).toString('base64url'),
      name: `${username} · ${bank}`,
      displayName,
    },
    pubKeyCredParams: KEY_ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    // Found without a list of keys, which would tell whoever types a name whether somebody has it.
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    excludeCredentials: existing
      .filter(({ rp_id: rpId }) => rpId === party.id)
      .map(({ credential_id: id, transports }) => {
        return { type: 'public-key', id: id.toString('base64url'), transports }
      }),
    attestation: 'none',
    timeout: CHALLENGE_MS,
  }
}

/** True, or the code of the refusal. */
export async function enrolOwnPasskey(
  { issuer, pool }: OwnPasskeyParts,
  request: OwnRequest,
  { response, name }: { readonly response: string; readonly name: string },
): Promise<true | string> {
  const { user, at } = request
  const { tenant_id: tenantId, user_id: userId } = user
  const party = relyingPartyOf(issuer)
  const read = readAttestation(response)
  const shown = read && { tenantId, challenge: read.challenge, at }
  const isOpen = shown !== undefined && (await takeEnrolmentChallenge(pool, shown, userId))
  const key = party && read && isOpen ? await madeKeyOf(party, read) : undefined
  if (key === undefined) {
    await recordRefusal(pool, request, isOpen ? 'passkey_unproven' : 'passkey_challenge_over')
    return 'passkey_not_accepted'
  }
  const input = { userId, passkeyId: newId(at), key, name: nameOf(name) }
  return verdict(await run(pool, enrolPasskeys, request, input))
}

/** True, or the code of the refusal. */
export async function removeOwnPasskey(
  { pool }: OwnPasskeyParts,
  request: OwnRequest,
  passkeyId: string,
): Promise<true | string> {
  const { user_id: userId, kind } = request.user
  return verdict(await run(pool, removePasskeys, request, { userId, kind, passkeyId }))
}

const MAX_NAME_CHARS = 60

function nameOf(text: string): string {
  const name = text.normalize('NFKC').replaceAll(/\s+/g, ' ').trim()
  return name === '' ? 'Passkey' : name.slice(0, MAX_NAME_CHARS)
}

function verdict(outcome: Outcome<unknown>): true | string {
  return outcome.ok || outcome.refusal.code
}

async function run<Input, Value, Held>(
  pool: Pool,
  command: Command<Input, Value, Held>,
  { user, actor, requestId, at }: OwnRequest,
  input: Input,
): Promise<Outcome<Value>> {
  const asked: Asked<Input> = { tenantId: user.tenant_id, actor, requestId, at, input }
  const [outcome] = await inTransaction(pool, async (tx) => {
    const held = (await command.lock?.(tx, [asked])) as Held
    return await command.run(tx, [asked], held)
  })
  if (outcome === undefined) throw new Error(`${command.name} answered nothing`)
  return outcome
}

async function recordRefusal(
  pool: Pool,
  { user, actor, requestId, at }: OwnRequest,
  reason: string,
): Promise<void> {
  const act = { actor, requestId, at, action: 'user.enrol_passkey', outcome: 'refused' } as const
  await inTransaction(pool, async (tx) => {
    recordAudit(tx, [{ ...act, reason, resourceKind: 'user', resourceId: user.user_id }])
  })
}
