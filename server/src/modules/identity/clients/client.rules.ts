import { type AsymmetricKeyDetails, createPublicKey } from 'node:crypto'
import type {
  AuthMethod,
  ClientKind,
  GrantType,
  PublicKeySet,
  SecurityProfile,
} from './client.queries.ts'
import { jwksUriFault, redirectFault } from './client-uri.rules.ts'
import { holdsPrivatePart } from '../private-key-members.ts'
import { customerScopes, isScope, sandboxScopes } from '../scopes.ts'
import type { TenantMode } from '../tenant.queries.ts'

/** What the rules judge: the same before a client is written and when a stored one is read. */
export interface ClientMetadata {
  readonly name: string
  readonly kind: ClientKind
  readonly mode: TenantMode
  readonly profile: SecurityProfile
  readonly grantTypes: readonly GrantType[]
  readonly scope: string
  readonly authMethod: AuthMethod
  readonly jwks?: PublicKeySet | null | undefined
  readonly jwksUri?: string | null | undefined
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly corsOrigins: readonly string[]
  readonly authorizationDetailsTypes: readonly string[]
}

const MAX_KEYS = 10 // a rotation needs two; each is tried against every assertion without a kid

const GRANT_TYPES: ReadonlySet<string> = new Set([
  'client_credentials',
  'authorization_code',
  'refresh_token',
])
const AUTH_METHODS: ReadonlySet<string> = new Set([
  'private_key_jwt',
  'client_secret_basic',
  'client_secret_post',
])

/** Why this client may not exist, in words for whoever registers it; undefined when it may. */
export function clientFault(client: ClientMetadata): string | undefined {
  return (
    scopeFault(client) ??
    grantFault(client) ??
    authenticationFault(client) ??
    profileFault(client) ??
    redirectFault(client) ??
    detailsFault(client)
  )
}

// The authorization server takes a client without a scope for one that may ask for every scope.
function scopeFault({ scope, kind, mode, grantTypes }: ClientMetadata): string | undefined {
  const asked = scope.split(' ')
  if (scope === '') return 'scope is empty'
  if (new Set(asked).size !== asked.length) return 'scope names one twice'
  const unknown = asked.filter((one) => !isScope(one))
  if (unknown.length > 0) return `scope names the unknown ${unknown.join(' ')}`
  if (mode === 'live' && asked.some((one) => sandboxScopes.has(one))) {
    return 'scope holds one that only sandbox tenants have'
  }
  const forCustomers = grantTypes.includes('authorization_code') && kind !== 'first_party'
  if (forCustomers && asked.some((one) => !customerScopes.has(one))) {
    return 'scope holds one that a customer cannot grant'
  }
  return undefined
}

function grantFault({ grantTypes }: ClientMetadata): string | undefined {
  if (grantTypes.length === 0) return 'grant_types is empty'
  const unknown = grantTypes.filter((type) => !GRANT_TYPES.has(type))
  if (unknown.length > 0) return `grant_types names the unsupported ${unknown.join(' ')}`
  if (grantTypes.includes('refresh_token') && !grantTypes.includes('authorization_code')) {
    return 'refresh_token needs authorization_code'
  }
  return undefined
}

function authenticationFault(client: ClientMetadata): string | undefined {
  const { authMethod, jwks, jwksUri, mode } = client
  if (!AUTH_METHODS.has(authMethod)) return `${authMethod} is no supported way to authenticate`
  if (authMethod !== 'private_key_jwt') {
    return jwks || jwksUri ? 'jwks is for clients that authenticate by private_key_jwt' : undefined
  }
  if (jwks && jwksUri) return 'jwks and jwks_uri exclude each other'
  if (jwksUri) return jwksUriFault(jwksUri, mode)
  if (!jwks || !Array.isArray(jwks.keys) || jwks.keys.length === 0)
    return 'private_key_jwt needs jwks or jwks_uri'
  if (jwks.keys.length > MAX_KEYS) return `jwks holds more than ${MAX_KEYS} keys`
  const kids = jwks.keys.map((key) => key['kid']).filter((kid) => kid !== undefined)
  if (new Set(kids).size !== kids.length) return 'jwks names a kid twice'
  return jwks.keys.map(keyFault).find((fault) => fault !== undefined)
}

// ES256, EdDSA and PS256 with a modulus of 2048 bits or more: what FAPI 2.0 allows.
function keyFault(key: Readonly<Record<string, unknown>>): string | undefined {
  if (holdsPrivatePart(key)) return 'jwks holds a private or secret key'
  const { kty, crv, alg, use, key_ops: operations, kid } = key
  if (kid !== undefined && typeof kid !== 'string') return 'jwks holds a kid that is no text'
  if ((use !== undefined && use !== 'sig') || !verifies(operations)) {
    return 'jwks holds a key that is not for signatures'
  }
  const isKnown =
    (kty === 'EC' && crv === 'P-256' && fits(alg, 'ES256')) ||
    (kty === 'OKP' && crv === 'Ed25519' && fits(alg, 'EdDSA', 'Ed25519')) ||
    (kty === 'RSA' && fits(alg, 'PS256'))
  return isKnown ? materialFault(key) : 'jwks holds a key that signs neither ES256, EdDSA nor PS256'
}

function verifies(operations: unknown): boolean {
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

// Judged by the key itself: zeros before a short modulus make it look long, and a point may be on no curve.
function materialFault(key: Readonly<Record<string, unknown>>): string | undefined {
  let details: AsymmetricKeyDetails | undefined
  try {
    details = createPublicKey({ key: { ...key }, format: 'jwk' }).asymmetricKeyDetails
  } catch {
    return 'jwks holds a key that cannot be read'
  }
  const { modulusLength: bits = 2_048, publicExponent: exponent = 65_537n } = details ?? {}
  if (bits < 2_048) return 'jwks holds an RSA key of fewer than 2048 bits'
  return exponent < 65_537n ? 'jwks holds an RSA key with an exponent below 65537' : undefined
}

function fits(alg: unknown, ...allowed: readonly string[]): boolean {
  return alg === undefined || (typeof alg === 'string' && allowed.includes(alg))
}

/**
 * FAPI 2.0 Security Profile §5.3.2 and §5.3.3. Pushed requests and bound tokens are the profile's,
 * not a choice: `client-metadata.ts` tells the authorization server so for every client of it.
 */
function profileFault({ profile, authMethod, kind }: ClientMetadata): string | undefined {
  if (profile !== 'fapi2') return undefined
  if (kind === 'first_party') return 'fapi2 is for programs of others and of the tenant'
  return authMethod === 'private_key_jwt' ? undefined : 'fapi2 needs private_key_jwt'
}

/** The types of rich authorization requests (RFC 9396) that there are. */
export const detailsTypes: ReadonlySet<string> = new Set([
  'payment_initiation',
  'account_information',
])

function detailsFault({ authorizationDetailsTypes: types, grantTypes }: ClientMetadata) {
  const unknown = types.filter((type) => !detailsTypes.has(type))
  if (unknown.length > 0)
    return `authorization_details_types names the unknown ${unknown.join(' ')}`
  return types.length > 0 && !grantTypes.includes('authorization_code')
    ? 'authorization_details_types needs authorization_code'
    : undefined
}
