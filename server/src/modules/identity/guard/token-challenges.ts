import { ApiError } from '../../../platform/errors.ts'
import { refuse } from '../identity.errors.ts'

/**
 * Refusals of the guard, each with the `WWW-Authenticate` that tells a client what to do about it:
 * RFC 6750 §3 for Bearer, RFC 9449 §7.1 for DPoP, RFC 9470 §3 for a stronger sign-in.
 */
export type Scheme = 'Bearer' | 'DPoP'

/** FAPI 2.0 allows these and PS256; a proof is made per request, for which RSA is too slow. */
export const PROOF_ALGS: readonly string[] = ['ES256', 'EdDSA', 'Ed25519']

const ALGS = `algs="${PROOF_ALGS.join(' ')}"`

/** Without any token the schemes are named and no error code. */
export function tokenMissing(): ApiError {
  return new ApiError(refuse('token_missing'), { [HEADER]: `Bearer, DPoP ${ALGS}` })
}

export function requestMalformed(
  code: 'token_repeated' | 'token_misplaced' | 'proof_repeated',
): ApiError {
  const description = refuse.table[code].title
  return new ApiError(refuse(code), {
    [HEADER]: challenge('Bearer', 'invalid_request', description),
  })
}

export function tokenRefused(
  code: 'token_invalid' | 'token_expired' | 'token_revoked',
  reason: string,
  scheme: Scheme = 'Bearer',
): ApiError {
  const detail = `The access token is not accepted: ${reason}.`
  return new ApiError(refuse(code, { detail }), {
    [HEADER]: challenge(scheme, 'invalid_token', detail),
  })
}

/** The token may be good; the proof beside it is not. */
export function proofRefused(reason: string): ApiError {
  const detail = `The DPoP proof is not accepted: ${reason}.`
  return new ApiError(refuse('proof_invalid', { detail }), {
    [HEADER]: challenge('DPoP', 'invalid_dpop_proof', detail),
  })
}

export function challenge(scheme: Scheme, error: string, description: string): string {
  const text = `${scheme} error="${error}", error_description="${description}"`
  return scheme === 'DPoP' ? `${text}, ${ALGS}` : text
}

export const HEADER = 'www-authenticate'
