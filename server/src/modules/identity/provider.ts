import { hash } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { type Configuration, type KoaContextWithOIDC, Provider, errors } from 'oidc-provider'
import type { Pool } from 'pg'
import type { Clock } from '../../platform/clock.ts'
import type { Sealing } from '../../platform/crypto/sealing.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { artifactAdapter } from './artifact-adapter.ts'
import { insertReplay } from './artifact.queries.ts'
import { API_AUDIENCE } from './audience.ts'
import { assertClientAssertion } from './client-assertion.ts'
import type { ClientDirectory } from './client-directory.ts'
import { isSecretOf } from './client-secret.ts'
import { apiScopes, isScope, scopes } from './scopes.ts'
import { SIGNING_ALG, type SigningKey } from './signing-keys.ts'
import { orUnavailable } from './temporarily-unavailable.ts'

const ACCESS_TOKEN_SECONDS = 900

/** What the client directory tells the library beyond its own metadata. It keeps these names. */
interface OurMetadata {
  readonly tenant_id: string
  readonly tenant_mode: string
  readonly secret_hashes: readonly string[]
}

export interface ProviderParts {
  readonly issuer: string
  readonly keys: readonly SigningKey[]
  readonly pool: Pool
  readonly directory: ClientDirectory
  readonly sealing: Sealing
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/**
 * The library's authorization server with every setting in which we differ from it. A provider
 * cannot change its keys: a new set of them means a new provider, so all overrides stand here.
 */
export function buildProvider(parts: ProviderParts): Provider {
  const { issuer, pool, onError } = parts
  const provider = new Provider(issuer, settings(parts))
  provider.proxy = true // the route hands over requests whose forwarding headers are ours
  provider.Client.prototype.compareClientSecret = function compare(this: unknown, secret: string) {
    return isSecretOf((this as OurMetadata).secret_hashes, secret)
  }
  // The library looks and then saves: six parallel uses of one assertion would all pass.
  provider.ReplayDetection.unique = async (iss, jti, exp) => {
    const id = hash('sha256', JSON.stringify([iss, jti]), 'buffer')
    return await orUnavailable(pool, (tx) => insertReplay(tx, id, new Date(exp * 1_000)))
  }
  provider.use(async (ctx, next) => {
    await next()
    if (ctx.status === 503) ctx.set('retry-after', '2')
    const { oidc } = ctx as Partial<KoaContextWithOIDC> // absent where no route matched
    if (oidc?.route === 'discovery') ctx.body = withoutAuthorizationEndpoint(ctx.body as object)
    if (oidc?.route === 'discovery' || oidc?.route === 'jwks') {
      ctx.set('cache-control', 'public, max-age=300')
    }
  })
  provider.on('server_error', (_ctx, error) => onError(error))
  ;(provider as EventEmitter).on('error', onError) // outside any endpoint; unheard, it is printed
  return provider
}

function settings(parts: ProviderParts): Configuration {
  const { issuer, keys, pool, directory, sealing, clock } = parts
  const db = databaseOver(pool)
  const off = { enabled: false }
  return {
    adapter: (model) =>
      model === 'Client' ? directory.adapter : artifactAdapter(model, db, sealing),
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
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf?.[0] ?? API_AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource, client) => {
          if (resource !== API_AUDIENCE) throw new errors.InvalidTarget()
          settleScope(ctx.oidc.params, client.scope)
          return API
        },
      },
      devInteractions: off,
      dPoP: off,
      pushedAuthorizationRequests: off,
      rpInitiatedLogout: off,
      userinfo: off,
    },
    responseTypes: [],
    clientAuthMethods: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'],
    clientDefaults: {
      grant_types: [],
      response_types: [],
      id_token_signed_response_alg: SIGNING_ALG,
    },
    enabledJWA: signatures(),
    scopes: [...scopes],
    claims: {},
    pkce: { required: () => true },
    ttl: { ClientCredentials: ACCESS_TOKEN_SECONDS },
    extraClientMetadata: { properties: ['kind', 'tenant_id', 'tenant_mode', 'secret_hashes'] },
    extraTokenClaims: (_ctx, token) => {
      const { tenant_id: tid, tenant_mode: env } = token.client as unknown as OurMetadata
      return { tid, env }
    },
    clientBasedCORS: (_ctx, origin) => origin === issuer,
    assertJwtClientAuthClaimsAndHeader: (ctx, claims) => {
      assertClientAssertion(ctx, claims, clock.now().getTime() / 1_000)
    },
    // There are no pages yet: also to a browser an error is the OAuth object.
    renderError: (ctx, out) => {
      ctx.type = 'json'
      ctx.body = out
    },
    fetch: () => Promise.reject(new Error('the authorization server calls nobody')),
  }
}

const API = {
  scope: apiScopes.join(' '),
  audience: API_AUDIENCE,
  accessTokenFormat: 'jwt',
  accessTokenTTL: ACCESS_TOKEN_SECONDS,
  jwt: { sign: { alg: SIGNING_ALG } },
} as const

interface Params {
  readonly grant_type?: unknown
  scope?: unknown
}

/**
 * Without `scope` a client asks for all it holds; the library would issue a token that may nothing.
 * Nor does it mind a scope that does not exist.
 */
function settleScope(params: Params | undefined, held: string | undefined): void {
  if (params?.grant_type !== 'client_credentials') return
  const { scope } = params
  if (typeof scope !== 'string' || scope === '') {
    params.scope = held
    return
  }
  const unknown = scope.split(' ').find((one) => !isScope(one))
  if (unknown !== undefined)
    throw new errors.InvalidScope('requested scope does not exist', unknown)
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

// The metadata names what answers. RFC 8414 wants this endpoint only where a grant uses it.
function withoutAuthorizationEndpoint(metadata: object): object {
  const { authorization_endpoint, authorization_response_iss_parameter_supported, ...rest } =
    metadata as Record<string, unknown>
  return { ...rest, response_modes_supported: [] }
}
