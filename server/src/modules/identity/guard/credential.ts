import { type Scheme, requestMalformed, tokenMissing, tokenRefused } from './token-challenges.ts'

/** A Fastify request is one. `rawHeaders` as Node has them: `headers` hides a repeated one. */
export interface GuardedRequest {
  readonly raw: { readonly rawHeaders: readonly string[] }
  readonly method: string
  /** Path, with the query. */
  readonly url: string
  readonly query: unknown
  readonly ip: string
}

/** The token of a request and how it was presented. */
export interface Credential {
  readonly scheme: Scheme
  readonly token: string
}

const MAX_TOKEN_CHARS = 8_192

/** Exactly one `Authorization: Bearer|DPoP …`, and no token anywhere else (RFC 6750 §2, FAPI 2.0). */
export function credentialOf({ raw, query }: Pick<GuardedRequest, 'raw' | 'query'>): Credential {
  const { rawHeaders } = raw
  let value: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length !== AUTHORIZATION.length || name.toLowerCase() !== AUTHORIZATION) continue
    if (value !== undefined) throw requestMalformed('token_repeated')
    value = rawHeaders[index + 1]
  }
  if (query !== null && typeof query === 'object' && 'access_token' in query) {
    throw requestMalformed('token_misplaced')
  }
  if (value === undefined) throw tokenMissing()
  const [, scheme, token] = PRESENTED.exec(value) ?? []
  if (scheme === undefined || token === undefined) {
    throw SCHEME.test(value) ? tokenRefused('token_invalid', 'it is malformed') : tokenMissing()
  }
  if (token.length > MAX_TOKEN_CHARS) throw tokenRefused('token_invalid', 'it is too long')
  return { scheme: scheme.length === 6 ? 'Bearer' : 'DPoP', token }
}

const AUTHORIZATION = 'authorization'
const SCHEME = /^(?:bearer|dpop)\b/i
const PRESENTED = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*) *$/i

/** The one proof beside the token. */
export function proofOf({ raw }: Pick<GuardedRequest, 'raw'>): string | undefined {
  const { rawHeaders } = raw
  let proof: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'dpop') continue
    if (proof !== undefined) throw requestMalformed('proof_repeated')
    proof = rawHeaders[index + 1]
  }
  return proof
}
