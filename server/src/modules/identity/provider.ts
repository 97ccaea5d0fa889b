import { hash } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { type Adapter, type Configuration, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Sealing } from '../../platform/crypto/sealing.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { findSignedIn } from './library-account.ts'
import { type ArtifactParts, artifactAdapter } from './artifact-adapter.ts'
import { insertReplay } from './artifact.queries.ts'
import { assertClientAssertion } from './clients/client-assertion.ts'
import type { ClientDirectory } from './clients/client-directory.ts'
import { ourMetadata } from './clients/client-metadata.ts'
import { type OurMetadata, oursOf, profileOf } from './clients/library-client.ts'
import { isSecretOf } from './clients/client-secret.ts'
import type { ConsentSlot } from './consent-slot.ts'
import { endGrant } from './end-grant.ts'
import { loadedGrant } from './loaded-grant.ts'
import { loginPolicy } from './login-policy.ts'
import { renderError } from './pages/library-pages.ts'
import { allowTargets, contentPolicy } from './pages/content-policy.ts'
import { relyingPartyOf } from './passkeys/relying-party.ts'
import { providerFeatures } from './provider-features.ts'
import { type GuessedClient, type SecretBrake, WINDOW_SECONDS } from './clients/secret-brake.ts'
import { scopes } from './scopes.ts'
import { levels } from './sign-in-level.ts'
import { SIGNING_ALG, type SigningKey } from './signing-keys.ts'
import { orUnavailable } from './temporarily-unavailable.ts'
import { ACCESS_TOKEN_S, extraTokenClaims, lifetimes } from './token-contents.ts'
import { type TokenEndpointParts, answerForJwts } from './token-endpoints.ts'

export interface ProviderParts extends TokenEndpointParts {
  readonly issuer: string
  readonly keys: readonly SigningKey[]
  readonly directory: ClientDirectory
  readonly sealing: Sealing
  /** Without it no customer can consent to anything, and no app gets a code. */
  readonly consents: ConsentSlot | undefined
  /** Where artifacts are kept. Default: the database. */
  readonly adapterOf?: ((model: string, parts: ArtifactParts) => Adapter) | undefined
  readonly secretBrake: SecretBrake
  /** For the keys of clients, at addresses that strangers chose. */
  readonly fetch: typeof fetch
  /** How long access tokens live, at most and by default 900. */
  readonly accessTokenSeconds?: number | undefined
  readonly onError: (error: unknown) => void
}

/**
 * The library's authorization server with every setting in which we differ from it. A provider
 * cannot change its keys: a new set of them means a new provider, so all overrides stand here.
 */
export function buildProvider(parts: ProviderParts): Provider {
  const { issuer, pool, onError, secretBrake } = parts
  const provider = new Provider(issuer, settings(parts))
  provider.proxy = true // the route hands over requests whose forwarding headers are ours
  provider.Client.prototype.compareClientSecret = function compare(this: unknown, secret: string) {
    const client = this as OurMetadata & GuessedClient
    const origin = Provider.ctx?.ip ?? ''
    secretBrake.check(client, origin)
    const isRight = isSecretOf(client.secret_hashes, secret)
    if (!isRight) secretBrake.failed(client, origin)
    return isRight
  }
  // The library looks and then saves: six parallel uses of one assertion would all pass.
  provider.ReplayDetection.unique = async (iss, jti, exp) => {
    const id = hash('sha256', JSON.stringify([iss, jti]), 'buffer')
    return await orUnavailable(pool, (tx) => insertReplay(tx, id, new Date(exp * 1_000)))
  }
  bindRefreshTokens(provider)
  provider.use(async (ctx, next) => {
    // Before: the pages that post themselves add the hash of their script to what stands here.
    if (ctx.method === 'GET' || ctx.method === 'POST') ctx.set(CSP, contentPolicy())
    await next()
    if (ctx.status === 503) ctx.set('retry-after', '2')
    if (ctx.status === 429) ctx.set('retry-after', `${WINDOW_SECONDS}`)
    const { oidc } = ctx as Partial<KoaContextWithOIDC> // absent where no route matched
    if (oidc?.route === 'discovery') ctx.body = served(ctx.body as object)
    if (oidc?.route === 'discovery' || oidc?.route === 'jwks') {
      ctx.set('cache-control', 'public, max-age=300')
    }
    if (oidc !== undefined) ctx.set(CSP, allowTargets(ctx.response.get(CSP), targetsOf(oidc)))
  })
  answerForJwts(provider, parts)
  provider.on('server_error', (_ctx, error) => onError(error))
  ;(provider as EventEmitter).on('error', onError) // outside any endpoint; unheard, it is printed
  return provider
}

const CSP = 'content-security-policy'

/**
 * The library binds the refresh token of a client that authenticates to nothing but the client. One
 * of the `fapi2` profile does not rotate: it is bound to the key of its first access token too.
 */
function bindRefreshTokens({ RefreshToken }: Provider): void {
  const { save } = RefreshToken.prototype
  RefreshToken.prototype.save = async function saveBound() {
    const { client, entities } = Provider.ctx?.oidc ?? {}
    if (client !== undefined && profileOf(client) === 'fapi2') {
      this.jkt ??= entities?.AccessToken?.jkt
    }
    return await save.call(this)
  }
}

function settings(parts: ProviderParts): Configuration {
  const { issuer, keys, pool, directory, sealing, clock, consents } = parts
  const accessTokenSeconds = parts.accessTokenSeconds ?? ACCESS_TOKEN_S
  const adapterOf = parts.adapterOf ?? artifactAdapter
  const endings = { pool, clock, consents }
  const artifacts = {
    db: databaseOver(pool),
    sealing,
    endGrant: (grantId: string) => endGrant(endings, grantId),
  }
  const https = issuer.startsWith('https:')
  return {
    adapter: (model) => (model === 'Client' ? directory.adapter : adapterOf(model, artifacts)),
    jwks: { keys: keys.map(({ privateJwk }) => ({ ...privateJwk, use: 'sig', alg: SIGNING_ALG })) },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      pushed_authorization_request: '/oauth/par',
      revocation: '/oauth/revoke',
      introspection: '/oauth/introspect',
      jwks: '/oauth/jwks',
      end_session: '/oauth/logout',
    },
    cookies: {
      names: cookieNames(https),
      keys: [sealing.deriveKey('oauth-cookies').toString('base64url')],
      long: { httpOnly: true, sameSite: 'lax', secure: https },
      short: { httpOnly: true, sameSite: 'lax', secure: https },
    },
    features: providerFeatures(sealing, accessTokenSeconds),
    interactions: {
      policy: loginPolicy(),
      url: (_ctx, { uid }) => `/oauth/interaction/${uid}`,
    },
    acrValues: levels.filter((level) => level !== 'ch:phr' || relyingPartyOf(issuer)),
    responseTypes: ['code'],
    clientAuthMethods: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'],
    clientDefaults: {
      grant_types: [],
      response_types: [],
      id_token_signed_response_alg: SIGNING_ALG,
    },
    enabledJWA: signatures(),
    scopes: [...scopes],
    claims: { acr: null, amr: null, auth_time: null, iss: null, openid: ['sub'] },
    pkce: { required: () => true },
    findAccount: (ctx, accountId, token) => findSignedIn(pool, ctx, accountId, token),
    loadExistingGrant: (ctx) => loadedGrant(ctx, { consents, clock }),
    // A refresh token of an app outlives the quarter of an hour of a browser session.
    expiresWithSession: (ctx) => oursOf(ctx.oidc.client).kind === 'first_party',
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: (ctx) => ctx.oidc.isFapi('2.0') === undefined,
    ttl: lifetimes(clock, accessTokenSeconds),
    extraClientMetadata: { properties: [...ourMetadata] },
    extraTokenClaims,
    clientBasedCORS: (ctx, origin, client) =>
      ctx.oidc.route !== 'authorization' &&
      (origin === issuer || oursOf(client).cors_origins.includes(origin)),
    assertJwtClientAuthClaimsAndHeader: (ctx, claims) => {
      assertClientAssertion(ctx, claims, clock.now().getTime() / 1_000)
    },
    renderError,
    fetch: parts.fetch,
  }
}

// `__Host-`: of this origin alone. The other two live on a path, which that name forbids.
function cookieNames(https: boolean) {
  const [host, secure] = https ? ['__Host-', '__Secure-'] : ['', '']
  return {
    session: `${host}ch_session`,
    interaction: `${secure}ch_interaction`,
    resume: `${secure}ch_resume`,
  }
}

/** Where a form on one of the library's pages may lead: the address that was checked. */
function targetsOf({ params, client }: KoaContextWithOIDC['oidc']): string[] {
  if (client === undefined) return []
  const { redirect_uri: redirect, post_logout_redirect_uri: afterLogout } = params ?? {}
  const registered = [...(client.redirectUris ?? []), ...(client.postLogoutRedirectUris ?? [])]
  return [redirect, afterLogout].filter((uri): uri is string => registered.includes(String(uri)))
}

// ES256, PS256 and EdDSA (new name: Ed25519) everywhere: FAPI 2.0 forbids RS256, the library's default.
function signatures(): NonNullable<Configuration['enabledJWA']> {
  return {
    clientAuthSigningAlgValues: ['ES256', 'PS256', 'EdDSA', 'Ed25519'],
    idTokenSigningAlgValues: ['ES256'],
    requestObjectSigningAlgValues: ['ES256', 'PS256', 'EdDSA', 'Ed25519'],
    userinfoSigningAlgValues: ['ES256'],
    introspectionSigningAlgValues: ['ES256'],
    authorizationSigningAlgValues: ['ES256'],
    dPoPSigningAlgValues: ['ES256', 'EdDSA', 'Ed25519'],
  }
}

// The metadata names what answers.
function served(metadata: object): object {
  const { claims_parameter_supported, ...rest } = metadata as Record<string, unknown>
  return { ...rest, response_modes_supported: ['query', 'form_post'] }
}
