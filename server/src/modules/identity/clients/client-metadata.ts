import { randomBytes } from 'node:crypto'
import type { AdapterPayload } from 'oidc-provider'
import type { DirectoryRow, GrantType } from './client.queries.ts'
import type { ClientMetadata } from './client.rules.ts'
import type { OurMetadata } from './library-client.ts'

/** The names of ours, which the library wants to be told. */
export const ourMetadata: readonly (keyof OurMetadata)[] = [
  'tenant_id',
  'tenant_mode',
  'kind',
  'security_profile',
  'secret_hashes',
  'cors_origins',
]

/** The grants that this server performs. A client may be registered for more and waits for them. */
const SERVED: ReadonlySet<GrantType> = new Set<GrantType>([
  'client_credentials',
  'authorization_code',
  'refresh_token',
])

// The library demands a secret in clear where a client has one, and compares with it unless told
// otherwise. What it holds is this: chance that nobody knows.
const NOBODYS_SECRET = randomBytes(32).toString('base64url')

/** A row as the library reads clients: RFC 7591, and ours. */
export function metadataOf(row: DirectoryRow): AdapterPayload {
  const grantTypes = row.grant_types.filter((type) => SERVED.has(type))
  const redirects = grantTypes.includes('authorization_code')
  const isFapi = row.security_profile === 'fapi2'
  return {
    client_id: row.client_id,
    client_name: row.name,
    token_endpoint_auth_method: row.token_endpoint_auth_method,
    grant_types: grantTypes,
    response_types: redirects ? ['code'] : [],
    redirect_uris: row.redirect_uris,
    post_logout_redirect_uris: row.post_logout_redirect_uris,
    scope: row.scope,
    ...keysOf(row),
    // The profile's name alone does not make the library ask for either.
    ...(isFapi && redirects && { require_pushed_authorization_requests: true }),
    ...(isFapi && { dpop_bound_access_tokens: true }),
    ...(row.authorization_details_types.length > 0 && {
      authorization_details_types: row.authorization_details_types,
    }),
    ...({
      tenant_id: row.tenant_id,
      tenant_mode: row.mode,
      kind: row.kind,
      security_profile: row.security_profile,
      secret_hashes: row.secret_hashes,
      cors_origins: row.allowed_cors_origins,
    } satisfies OurMetadata),
  }
}

function keysOf({ jwks, jwks_uri, token_endpoint_auth_method: method }: DirectoryRow): object {
  if (method !== 'private_key_jwt') return { client_secret: NOBODYS_SECRET }
  return jwks === null ? { jwks_uri } : { jwks }
}

/** A row as the rules of `client.rules.ts` judge it. */
export function rulesView(row: DirectoryRow): ClientMetadata {
  return {
    name: row.name,
    kind: row.kind,
    mode: row.mode,
    profile: row.security_profile,
    grantTypes: row.grant_types,
    scope: row.scope,
    authMethod: row.token_endpoint_auth_method,
    jwks: row.jwks,
    jwksUri: row.jwks_uri,
    redirectUris: row.redirect_uris,
    postLogoutRedirectUris: row.post_logout_redirect_uris,
    corsOrigins: row.allowed_cors_origins,
    authorizationDetailsTypes: row.authorization_details_types,
  }
}
