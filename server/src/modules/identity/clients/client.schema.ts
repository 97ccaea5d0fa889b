import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Text, Version, closed } from '../../../platform/fields.ts'
import { listOf, pageParameters } from '../../../platform/page.ts'
import { secretId } from './client-secret.ts'
import type { ClientRow } from './client.queries.ts'

/** Clients as the API shows them; the names are those of RFC 7591 where it has one. */
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
const Scope = Type.String({
  minLength: 1,
  maxLength: 2_000,
  description: 'Separated by spaces. At most what the caller holds; `openid` is free.',
  examples: ['payments:read payments:write'],
})
const Kind = Type.Union([Type.Literal('service'), Type.Literal('third_party')], {
  description:
    'A program of your own, or of somebody whom your customers trust with their accounts.',
})
const Profile = Type.Union([Type.Literal('standard'), Type.Literal('fapi2')], {
  description:
    '`fapi2` is the FAPI 2.0 Security Profile: pushed requests, DPoP-bound tokens, `private_key_jwt`, https.',
})
const GrantTypes = Type.Array(
  Type.Union([
    Type.Literal('client_credentials'),
    Type.Literal('authorization_code'),
    Type.Literal('refresh_token'),
  ]),
  { minItems: 1, maxItems: 3, uniqueItems: true },
)
const AuthMethod = Type.Union([
  Type.Literal('client_secret_basic'),
  Type.Literal('client_secret_post'),
  Type.Literal('private_key_jwt'),
])
const Addresses = Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
  maxItems: 20,
  uniqueItems: true,
  description: 'Compared exactly, character by character.',
})
const Origins = Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
  maxItems: 20,
  uniqueItems: true,
  description: 'Web origins whose scripts may call the token endpoint.',
})
const DetailsTypes = Type.Array(
  Type.Union([Type.Literal('payment_initiation'), Type.Literal('account_information')]),
  { maxItems: 2, uniqueItems: true, description: 'Rich authorization requests (RFC 9396).' },
)
const Jwks = Type.Object(
  {
    keys: Type.Array(
      Type.Record(Type.String({ pattern: '^.{1,40}$' }), Type.Unknown(), { maxProperties: 20 }),
      { minItems: 1, maxItems: 10 },
    ),
  },
  {
    ...closed,
    description: 'Public keys (RFC 7517): ES256, EdDSA, or PS256 of 2048 bits or more.',
  },
)
const JwksUri = Type.String({
  minLength: 1,
  maxLength: 500,
  description: 'https address of the public keys, instead of `jwks`.',
})

export const CreateClientBody = Type.Object(
  {
    name: Name,
    kind: Type.Optional(Kind),
    security_profile: Type.Optional(Profile),
    grant_types: GrantTypes,
    token_endpoint_auth_method: Type.Optional(AuthMethod),
    scope: Scope,
    redirect_uris: Type.Optional(Addresses),
    post_logout_redirect_uris: Type.Optional(Addresses),
    allowed_cors_origins: Type.Optional(Origins),
    authorization_details_types: Type.Optional(DetailsTypes),
    jwks: Type.Optional(Jwks),
    jwks_uri: Type.Optional(JwksUri),
    require_pushed_authorization_requests: Type.Optional(
      Type.Boolean({ description: 'What the profile says: true for `fapi2`, else false.' }),
    ),
    dpop_bound_access_tokens: Type.Optional(
      Type.Boolean({ description: 'What the profile says: true for `fapi2`, else false.' }),
    ),
  },
  {
    ...closed,
    examples: [
      { name: 'Back office', grant_types: ['client_credentials'], scope: 'payments:read' },
    ],
  },
)
export type CreateClientBody = Static<typeof CreateClientBody>

export const UpdateClientBody = Type.Object(
  {
    name: Type.Optional(Name),
    scope: Type.Optional(Scope),
    grant_types: Type.Optional(GrantTypes),
    redirect_uris: Type.Optional(Addresses),
    post_logout_redirect_uris: Type.Optional(Addresses),
    allowed_cors_origins: Type.Optional(Origins),
    authorization_details_types: Type.Optional(DetailsTypes),
    jwks: Type.Optional(Nullable(Jwks)),
    jwks_uri: Type.Optional(Nullable(JwksUri)),
    status: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('disabled')])),
  },
  { ...closed, minProperties: 1 },
)
export type UpdateClientBody = Static<typeof UpdateClientBody>

const Secret = Type.Object({ id: Id('sec') })

export const ApiClient = Type.Object(
  {
    id: Id('cli'),
    object: Type.Literal('client'),
    name: Text,
    kind: Type.Union([
      Type.Literal('service'),
      Type.Literal('third_party'),
      Type.Literal('first_party'),
    ]),
    security_profile: Profile,
    status: Type.Union([Type.Literal('active'), Type.Literal('disabled')]),
    grant_types: GrantTypes,
    token_endpoint_auth_method: AuthMethod,
    scope: Type.String({ maxLength: 4_000 }),
    redirect_uris: Addresses,
    post_logout_redirect_uris: Addresses,
    allowed_cors_origins: Origins,
    authorization_details_types: DetailsTypes,
    jwks: Nullable(Jwks),
    jwks_uri: Nullable(JwksUri),
    require_pushed_authorization_requests: Type.Boolean(),
    dpop_bound_access_tokens: Type.Boolean(),
    secrets: Type.Array(Secret, { maxItems: 2, description: 'Newest first; without the words.' }),
    created_at: Instant,
    created_by: Text,
    updated_at: Nullable(Instant),
    last_used_at: Nullable(Instant),
    version: Version,
  },
  { title: 'Client' },
)
export type ApiClient = Static<typeof ApiClient>

const ShownOnce = Type.String({
  maxLength: 100,
  description: 'Shown this once: only a hash of it is kept.',
})

export const CreatedClient = Type.Object(
  { ...ApiClient.properties, client_secret: Type.Optional(ShownOnce) },
  { title: 'CreatedClient' },
)
export const CreatedSecret = Type.Object(
  { id: Id('sec'), object: Type.Literal('client_secret'), client_secret: ShownOnce },
  { title: 'CreatedClientSecret' },
)

export const ClientParams = Type.Object({ id: Id('cli') }, closed)
export const SecretParams = Type.Object({ id: Id('cli'), secret_id: Id('sec') }, closed)
export const ListClientsQuery = Type.Object(pageParameters, closed)
export const ClientList = listOf(ApiClient)

/** The public JSON of a client: the only place where a row becomes one. */
export function toClient(row: ClientRow): ApiClient {
  const isFapi = row.security_profile === 'fapi2'
  return {
    id: row.client_id,
    object: 'client',
    name: row.name,
    kind: row.kind,
    security_profile: row.security_profile,
    status: row.status,
    grant_types: row.grant_types,
    token_endpoint_auth_method: row.token_endpoint_auth_method,
    scope: row.scope,
    redirect_uris: row.redirect_uris,
    post_logout_redirect_uris: row.post_logout_redirect_uris,
    allowed_cors_origins: row.allowed_cors_origins,
    authorization_details_types: row.authorization_details_types as [],
    jwks: row.jwks as ApiClient['jwks'],
    jwks_uri: row.jwks_uri,
    require_pushed_authorization_requests: isFapi && row.grant_types.includes('authorization_code'),
    dpop_bound_access_tokens: isFapi,
    secrets: row.secret_hashes.map((kept) => ({ id: secretId(kept) })),
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    updated_at: row.updated_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    version: row.version,
  }
}
