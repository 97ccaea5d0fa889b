import type { Pool } from 'pg'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { brake, releaseAddress } from '../users/login-brakes.ts'
import {
  type SignInParts,
  type SignInStep,
  type SignInTry,
  personOf,
  refused,
  signedIn,
} from '../users/sign-in.ts'
import type { UserRow } from '../users/user.queries.ts'
import { takeSignInChallenge } from './passkey-challenge.ts'
import { proofOf, readAssertion } from './passkey-response.ts'
import { type PasskeyRow, countUse, findPasskey } from './passkey.queries.ts'
import { relyingPartyOf } from './relying-party.ts'
import { userHandle } from './user-handle.ts'

export interface SignedChallenge {
  /** The browser's answer, as JSON. */
  readonly response: string
  /** The one that the page of this sign-in was given. */
  readonly challenge: string
}

/**
 * From a name and what an authenticator signed to a person. A passkey is two factors in one: the
 * device, and the finger or the number by which it knows its owner. So it does alone, also for an
 * operator.
 *
 * The page tells a browser no passkey to look for: whoever asks for a name would learn from that
 * list whether somebody has it. The person chooses, and the passkey must be one of the name typed.
 */
export async function checkPasskey(
  { issuer, pool }: SignInParts,
  tried: SignInTry,
  signed: SignedChallenge,
): Promise<SignInStep> {
  const until = await brake(pool, tried)
  if (until !== undefined) return { kind: 'blocked', until }
  const { user } = await personOf(pool, tried)
  const judged = await judge(issuer, pool, { tried, user, signed })
  if (user === undefined || !judged.ok) {
    return await refused(pool, tried, user, judged.ok ? undefined : judged.because)
  }
  await releaseAddress(pool, tried)
  return await signedIn(pool, tried, user, { acr: 'ch:phr', amr: methodsOf(judged.passkey) })
}

/** RFC 8176 §2: a key in hardware or one that is copied between devices, and somebody present. */
function methodsOf({ is_synced: isSynced }: PasskeyRow): readonly string[] {
  return [isSynced ? 'swk' : 'hwk', 'user', 'mfa']
}

interface Presented {
  readonly tried: SignInTry
  readonly user: UserRow | undefined
  readonly signed: SignedChallenge
}

type Judged =
  | { readonly ok: true; readonly passkey: PasskeyRow }
  | { readonly ok: false; readonly because: string }

// The challenge goes first, whatever comes of it: what was shown once is not shown again.
async function judge(
  issuer: string,
  pool: Pool,
  { tried: { tenantId, at }, user, signed: { response, challenge } }: Presented,
): Promise<Judged> {
  const party = relyingPartyOf(issuer)
  const read = readAssertion(response)
  if (party === undefined || read === undefined) return no('passkey_unreadable')
  if (read.challenge !== challenge) return no('passkey_challenge_foreign')
  const isOpen = await takeSignInChallenge(pool, { tenantId, challenge, at })
  if (!isOpen) return no('passkey_challenge_over')
  const userId = user?.user_id
  const named = { rpId: party.id, credentialId: read.credentialId }
  const passkey = userId && (await findPasskey(databaseOver(pool), tenantId, userId, named))
  if (!passkey || !isOwn(read.json.response.userHandle, passkey)) return no('passkey_unknown')
  const proof = await proofOf(party, read, passkey.public_key)
  if (proof === undefined || proof.isSynced !== passkey.is_synced) return no('passkey_unproven')
  const counts = await inTransaction(pool, (tx) => countUse(tx, passkey, proof.count, at))
  return counts ? { ok: true, passkey } : no('passkey_count_went_back')
}

function isOwn(handle: string | undefined, { user_id: userId }: PasskeyRow): boolean {
  return handle === undefined || userHandle(userId).equals(Buffer.from(handle, 'base64url'))
}

function no(because: string): Judged {
  return { ok: false, because }
}
