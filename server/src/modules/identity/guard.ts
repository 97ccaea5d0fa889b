import { hash } from 'node:crypto'
import { type CryptoKey, type JWTPayload, type JWTVerifyOptions, errors, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Actor } from '../../platform/actor.ts'
import type { Clock } from '../../platform/clock.ts'
import { ApiError } from '../../platform/errors.ts'
import { refuse } from './identity.errors.ts'
import { API_AUDIENCE } from './provider.ts'
import { type Keyring, SIGNING_ALG } from './signing-keys.ts'
import type { TenantMode } from './tenant.queries.ts'

/**
 * Who asks: from the headers of a request to an `Actor`, or a refusal.
 *
 * A token is verified once (some 100 µs) and remembered by its hash for a minute at most. On a hit
 * only its expiry is looked at, in a few microseconds and without a promise: every payment passes
 * here. A failure is never remembered.
 */
export interface Guard {
  /** Throws `ApiError` (401, 400) at once for a request without a usable token. */
  readonly authenticate: (request: GuardedRequest) => Actor | Promise<Actor>
}

/** A Fastify request is one. `rawHeaders` as Node has them: `headers` hides a repeated one. */
export interface GuardedRequest {
  readonly raw: { readonly rawHeaders: readonly string[] }
  readonly query: unknown
  readonly ip: string
}

const CACHE_TOKENS = 50_000 // some 20 MB; a token that falls out is verified again
const CACHE_SCOPES = 1_000 // a set may hold 60; tokens of one client share it
const CACHE_MS = 60_000
const TOLERANCE_S = 15 // nodes and standbys whose clocks differ by more need mending, not patience
const MAX_TOKEN_CHARS = 8_192

interface Known {
  readonly clientId: string
  readonly tenantId: string
  readonly tenantMode: TenantMode
  readonly scopes: ReadonlySet<string>
  /** Milliseconds: until then the token is accepted without being verified again. */
  readonly trustedUntil: number
}

export function createGuard({
  issuer,
  keys,
  clock,
}: {
  readonly issuer: string
  readonly keys: Pick<Keyring, 'verifier'>
  readonly clock: Clock
}): Guard {
  const cache = new LRUCache<string, Known>({ max: CACHE_TOKENS })
  const scopeSets = new LRUCache<string, ReadonlySet<string>>({
    max: CACHE_SCOPES,
    memoMethod: (scope) => new Set(scope.split(' ').filter((one) => one !== '')),
  })

  function authenticate(request: GuardedRequest): Actor | Promise<Actor> {
    const token = bearerToken(request)
    const key = hash('sha256', token, 'base64url')
    const known = cache.get(key)
    if (known !== undefined && clock.now().getTime() < known.trustedUntil) {
      return actorOf(known, request.ip)
    }
    return verifyAndRemember(token, key, request.ip)
  }

  async function verifyAndRemember(token: string, key: string, ip: string): Promise<Actor> {
    const now = clock.now()
    const { scope = '', ...claims } = await verified(token, now)
    const scopes = scopeSets.memo(typeof scope === 'string' ? scope : '')
    const known = knownFrom(claims, scopes, now)
    cache.set(key, known)
    return actorOf(known, ip)
  }

  async function verified(token: string, now: Date): Promise<JWTPayload> {
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
      const { payload } = await jwtVerify(token, ({ kid }) => verifierOf(kid), options)
      return payload
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw unauthorized('token_expired', 'it has expired')
      if (error instanceof errors.JOSEError) throw unauthorized('token_invalid', reasonOf(error))
      throw error // the keys could not be read: nothing was said about the token
    }
  }

  async function verifierOf(kid: string | undefined): Promise<CryptoKey> {
    const verifier = kid === undefined ? undefined : await keys.verifier(kid)
    if (verifier === undefined) throw new errors.JWKSNoMatchingKey()
    return verifier
  }

  return { authenticate }
}

/** Exactly one `Authorization: Bearer …`, and no token anywhere else (RFC 6750 §2). */
function bearerToken({ raw, query }: GuardedRequest): string {
  const { rawHeaders } = raw
  let value: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length !== HEADER.length || name.toLowerCase() !== HEADER) continue
    if (value !== undefined) throw malformed('token_repeated')
    value = rawHeaders[index + 1]
  }
  if (query !== null && typeof query === 'object' && 'access_token' in query) {
    throw malformed('token_misplaced')
  }
  if (value === undefined) throw missing()
  const token = BEARER.exec(value)?.[1]
  if (token === undefined) {
    throw SCHEME.test(value) ? unauthorized('token_invalid', 'it is malformed') : missing()
  }
  if (token.length > MAX_TOKEN_CHARS) throw unauthorized('token_invalid', 'it is too long')
  return token
}

const HEADER = 'authorization'
const SCHEME = /^bearer\b/i
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i

/** The claims of RFC 9068 and ours. A token of anybody but a client acting for itself is refused. */
function knownFrom(payload: JWTPayload, scopes: ReadonlySet<string>, now: Date): Known {
  const { sub, exp, tid, env, cnf } = payload
  const clientId = payload['client_id']
  if (typeof clientId !== 'string' || typeof tid !== 'string' || typeof exp !== 'number') {
    throw unauthorized('token_invalid', 'it lacks a claim')
  }
  if (sub !== clientId || payload['gid'] !== undefined) {
    throw unauthorized('token_invalid', 'its subject is not its client')
  }
  if (env !== 'sandbox' && env !== 'live') throw unauthorized('token_invalid', 'it lacks a claim')
  if (cnf !== undefined) throw unauthorized('token_invalid', 'it is bound to a key')
  const expiresAt = (exp + TOLERANCE_S) * 1_000
  return {
    clientId,
    tenantId: tid,
    tenantMode: env,
    scopes,
    trustedUntil: Math.min(expiresAt, now.getTime() + CACHE_MS),
  }
}

function actorOf({ clientId, tenantId, tenantMode, scopes }: Known, ip: string): Actor {
  return {
    kind: 'client',
    tenantId,
    tenantMode,
    id: clientId,
    scopes,
    principal: clientId,
    origin: ip,
  }
}

// What was wrong, in words that tell nothing a sender of forged tokens does not know already.
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `its ${error.claim} is wrong`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its alg is not allowed'
  if (error instanceof errors.JWKSNoMatchingKey) return 'its key is unknown'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong'
  return 'it is malformed'
}

// RFC 6750 §3.1: a request without any token is told the scheme and no error code.
function missing(): ApiError {
  return new ApiError(refuse('token_missing'), { 'www-authenticate': 'Bearer' })
}

function malformed(code: 'token_repeated' | 'token_misplaced'): ApiError {
  return new ApiError(refuse(code), challenge('invalid_request', refuse.table[code].title))
}

function unauthorized(code: 'token_invalid' | 'token_expired', reason: string): ApiError {
  const detail = `The access token is not accepted: ${reason}.`
  return new ApiError(refuse(code, { detail }), challenge('invalid_token', detail))
}

function challenge(error: string, description: string): Record<string, string> {
  return { 'www-authenticate': `Bearer error="${error}", error_description="${description}"` }
}
