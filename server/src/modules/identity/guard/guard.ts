import { hash } from 'node:crypto'
import type { Actor } from '../../../platform/actor.ts'
import type { Clock } from '../../../platform/clock.ts'
import { ApiError } from '../../../platform/errors.ts'
import { type AccessToken, type TokenReaderParts, createTokenReader } from './access-token.ts'
import { type Credential, type GuardedRequest, credentialOf, proofOf } from './credential.ts'
import { createProofCheck } from './dpop-proof.ts'
import type { ProofRegister } from './proof-register.ts'
import type { Revocations } from '../revocation-set.ts'
import { proofRefused, tokenRefused } from './token-challenges.ts'
import { type VerifiedToken, openVerifiedTokens } from './verified-tokens.ts'

/**
 * Who asks: from the headers of a request to an `Actor`, or a refusal.
 *
 * A token is verified once (some 100 µs) and remembered by its hash for a minute at most. A hit
 * skips the signature and nothing else: expiry, revocation and binding are looked at each time. For
 * a Bearer token that takes a few microseconds and no promise: every payment passes here. A failure
 * is never remembered.
 */
export interface Guard {
  /** Throws `ApiError` (401, 400) at once for a request without a usable token. */
  readonly authenticate: (request: GuardedRequest) => Actor | Promise<Actor>
  /** A token that would be let in, without regard to its binding; undefined for any other. */
  readonly inspect: (token: string) => Promise<AccessToken | undefined>
}

export interface GuardParts extends TokenReaderParts {
  readonly revocations: Pick<Revocations, 'version' | 'isFresh' | 'freshen' | 'hasEnded'>
  readonly proofs: ProofRegister
  readonly clock: Clock
}

export function createGuard(parts: GuardParts): Guard {
  const { issuer, keys, revocations, proofs, clock } = parts
  const readToken = createTokenReader(parts)
  const tokens = openVerifiedTokens({ readToken, keys, clock })
  const checkProof = createProofCheck(issuer, proofs)

  function authenticate(request: GuardedRequest): Actor | Promise<Actor> {
    const credential = credentialOf(request)
    const key = hash('sha256', credential.token, 'base64url')
    const known = tokens.recall(key)
    if (known === undefined || !revocations.isFresh()) {
      return lookedUp(request, credential, key, known)
    }
    return admitted(request, credential, known)
  }

  async function lookedUp(
    request: GuardedRequest,
    credential: Credential,
    key: string,
    known: VerifiedToken | undefined,
  ): Promise<Actor> {
    const verified = known ?? (await tokens.verify(credential.token, key))
    if (!revocations.isFresh()) await revocations.freshen()
    return await admitted(request, credential, verified)
  }

  function admitted(
    request: GuardedRequest,
    { scheme, token: text }: Credential,
    known: VerifiedToken,
  ): Actor | Promise<Actor> {
    refuseEnded(revocations, known)
    const { actor, jkt } = known.token
    if (jkt === undefined) {
      if (scheme === 'Bearer') return actorAt(actor, request.ip)
      throw tokenRefused('token_invalid', 'it is not bound to a key', 'Bearer')
    }
    if (scheme === 'Bearer') throw tokenRefused('token_invalid', 'it is bound to a key', 'DPoP')
    return proven(request, text, actor, jkt)
  }

  async function proven(
    request: GuardedRequest,
    token: string,
    actor: AccessToken['actor'],
    jkt: string,
  ): Promise<Actor> {
    const proof = proofOf(request)
    if (proof === undefined) throw proofRefused('there is none')
    const { method, url } = request
    await checkProof({ method, url, proof, token, jkt, now: clock.now() })
    return actorAt(actor, request.ip)
  }

  async function inspect(text: string): Promise<AccessToken | undefined> {
    let token: AccessToken
    try {
      token = await readToken(text, clock.now())
    } catch (error) {
      if (error instanceof ApiError) return undefined
      throw error
    }
    if (!revocations.isFresh()) await revocations.freshen()
    return revocations.hasEnded(token.issued) ? undefined : token
  }

  return { authenticate, inspect }
}

function refuseEnded(revocations: GuardParts['revocations'], known: VerifiedToken): void {
  const version = revocations.version()
  if (known.cleanAt === version) return
  const { issued, jkt } = known.token
  if (revocations.hasEnded(issued)) {
    const scheme = jkt === undefined ? 'Bearer' : 'DPoP'
    throw tokenRefused('token_revoked', 'it was taken back', scheme)
  }
  known.cleanAt = version
}

// Member by member: a spread of the whole costs more than all the rest of a hit.
function actorAt(
  { kind, tenantId, tenantMode, id, clientId, user, scopes, principal }: AccessToken['actor'],
  origin: string,
): Actor {
  const actor = { kind, tenantId, tenantMode, id, clientId, scopes, principal, origin }
  return user === undefined ? actor : { ...actor, user }
}
