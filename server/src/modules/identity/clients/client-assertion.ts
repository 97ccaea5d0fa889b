import { type KoaContextWithOIDC, errors } from 'oidc-provider'

// Looser: an assertion stolen today works next year, and its id must be remembered until then.
const MAX_LIFE_S = 300
const MAX_AHEAD_S = 60 // FAPI 2.0: a client's clock may run up to a minute fast

interface AssertionClaims {
  readonly aud?: unknown
  readonly iat?: unknown
  readonly nbf?: unknown
  readonly exp?: unknown
}

/**
 * What RFC 7523 leaves open and the library lets pass: an assertion says when it was made, was not
 * made in the future, is short-lived, and names this server as its one audience or among several.
 */
export function assertClientAssertion(
  ctx: KoaContextWithOIDC,
  claims: AssertionClaims,
  nowSeconds: number,
): void {
  const { aud, iat, nbf, exp } = claims
  if (typeof iat !== 'number')
    refuse('iat (issued at) must be provided in the client_assertion JWT')
  if (iat > nowSeconds + MAX_AHEAD_S) refuse('iat (issued at) lies in the future')
  if (typeof nbf === 'number' && nbf > nowSeconds + MAX_AHEAD_S) refuse('nbf lies in the future')
  if (typeof exp !== 'number' || exp > nowSeconds + MAX_LIFE_S) {
    refuse(`exp (expiry) must be at most ${MAX_LIFE_S} seconds ahead`)
  }
  if (ctx.oidc.isFapi('2.0') !== undefined && aud !== ctx.oidc.issuer) {
    refuse('aud (audience) must be the issuer identifier')
  }
}

function refuse(detail: string): never {
  throw new errors.InvalidClientAuth(detail)
}
