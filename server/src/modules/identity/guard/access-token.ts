import { type CryptoKey, type JWTPayload, type JWTVerifyOptions, errors, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Actor, SignedInUser } from '../../../platform/actor.ts'
import { API_AUDIENCE } from '../audience.ts'
import type { ClientKind } from '../clients/client.queries.ts'
import type { IssuedToken } from '../ended-tokens.ts'
import { type Keyring, SIGNING_ALG } from '../signing-keys.ts'
import { tokenRefused } from './token-challenges.ts'

/** What a good signature vouches for. */
export interface AccessToken {
  /** All of the actor but where the request came from. */
  readonly actor: Omit<Actor, 'origin'> & { readonly clientId: string }
  readonly issued: IssuedToken
  /** Thumbprint (RFC 7638) of the key that the token is bound to. */
  readonly jkt: string | undefined
  /** Of the key that signed it. */
  readonly kid: string
  /** Milliseconds, with the tolerance for clocks. */
  readonly expiresAt: number
  readonly claims: Readonly<JWTPayload>
}

/** Seconds. Nodes and standbys whose clocks differ by more need mending, not patience. */
export const TOLERANCE_S = 15

const SCOPE_SETS = 1_000 // a set may hold 60; tokens of one client share it

export interface TokenReaderParts {
  readonly issuer: string
  readonly keys: Pick<Keyring, 'verifier' | 'knows'>
  /** The kind of an active client. Asked only for tokens of users. */
  readonly clientKind: (clientId: string) => Promise<ClientKind | undefined>
}

/** Reads access tokens (RFC 9068). Throws `ApiError` 401 for what is none of ours or has expired. */
export function createTokenReader({ issuer, keys, clientKind }: TokenReaderParts) {
  const scopeSets = new LRUCache<string, ReadonlySet<string>>({
    max: SCOPE_SETS,
    memoMethod: (scope) => new Set(scope.split(' ').filter((one) => one !== '')),
  })

  async function verifierOf(kid: string | undefined): Promise<CryptoKey> {
    const verifier = kid === undefined ? undefined : await keys.verifier(kid)
    if (verifier === undefined) throw new errors.JWKSNoMatchingKey()
    return verifier
  }

  async function verified(token: string, now: Date) {
    const options: JWTVerifyOptions = {
      algorithms: [SIGNING_ALG],
      typ: 'at+jwt',
      issuer,
      audience: API_AUDIENCE,
      requiredClaims: ['exp', 'iat', 'jti'],
      clockTolerance: TOLERANCE_S,
      currentDate: now,
    }
    try {
      return await jwtVerify(token, ({ kid }) => verifierOf(kid), options)
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw tokenRefused('token_expired', 'it has expired')
      if (error instanceof errors.JOSEError) throw tokenRefused('token_invalid', reasonOf(error))
      throw error // the keys could not be read: nothing was said about the token
    }
  }

  return async function read(token: string, now: Date): Promise<AccessToken> {
    const { payload: claims, protectedHeader } = await verified(token, now)
    const { sub, exp = 0, iat = 0, jti = '', tid, env, scope } = claims
    const clientId = claims['client_id']
    if (!isText(clientId) || !isText(tid) || !isText(sub)) throw lacksClaim()
    if (env !== 'sandbox' && env !== 'live') throw lacksClaim()
    const user = userOf(claims, clientId)
    return {
      claims,
      jkt: thumbprintOf(claims),
      kid: protectedHeader.kid ?? '',
      expiresAt: (exp + TOLERANCE_S) * 1_000,
      issued: {
        tenantId: tid,
        clientId,
        subject: sub,
        jti,
        grantId: user?.grantId,
        issuedAt: iat * 1_000,
      },
      actor: {
        kind: user === undefined ? 'client' : await kindOfActor(clientId),
        tenantId: tid,
        tenantMode: env,
        id: sub,
        clientId,
        ...(user !== undefined && { user }),
        scopes: scopeSets.memo(isText(scope) ? scope : ''),
        principal: user === undefined ? clientId : `${clientId} ${sub}`,
      },
    }
  }

  async function kindOfActor(clientId: string): Promise<'app' | 'operator'> {
    const kind = await clientKind(clientId)
    if (kind === undefined) throw tokenRefused('token_invalid', 'its client is not active')
    return kind === 'first_party' ? 'operator' : 'app'
  }
}

/** The person behind the token; undefined for a client that acts for itself (RFC 9068 §5). */
function userOf(claims: JWTPayload, clientId: string): SignedInUser | undefined {
  const { sub, gid, pid, acr, amr, auth_time: time } = claims
  if ((sub === clientId) !== (gid === undefined)) {
    throw tokenRefused('token_invalid', 'its subject does not fit its grant')
  }
  if (sub === clientId || sub === undefined) return undefined
  if (!sub.startsWith('usr_') || !isText(gid) || !isText(pid) || !isText(acr)) throw lacksClaim()
  if (!Array.isArray(amr) || !amr.every(isText) || typeof time !== 'number') throw lacksClaim()
  return {
    id: sub,
    partyId: pid,
    grantId: gid,
    acr,
    amr,
    authenticatedAt: new Date(time * 1_000),
  }
}

/** RFC 7800 §3. A binding that we cannot check must not be taken for none. */
function thumbprintOf({ cnf }: JWTPayload): string | undefined {
  if (cnf === undefined) return undefined
  const { jkt, ...others } = (cnf ?? {}) as Readonly<Record<string, unknown>>
  if (!isText(jkt) || Object.keys(others).length > 0) {
    throw tokenRefused('token_invalid', 'it is bound in a way that is not known here')
  }
  return jkt
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function lacksClaim() {
  return tokenRefused('token_invalid', 'it lacks a claim')
}

// What was wrong, in words that tell nothing a sender of forged tokens does not know already.
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `its ${error.claim} is wrong`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its alg is not allowed'
  if (error instanceof errors.JWKSNoMatchingKey) return 'its key is unknown'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong'
  return 'it is malformed'
}
