import type { AuthMethod, ClientKind, GrantType, PublicKeySet } from './client.queries.ts'
import { customerScopes, isScope, sandboxScopes } from './scopes.ts'
import type { TenantMode } from './tenant.queries.ts'

/** What the rules judge: the same before a client is written and when a stored one is read. */
export interface ClientMetadata {
  readonly name: string
  readonly kind: ClientKind
  readonly mode: TenantMode
  readonly grantTypes: readonly GrantType[]
  readonly scope: string
  readonly authMethod: AuthMethod
  readonly jwks?: PublicKeySet | null | undefined
  readonly redirectUris: readonly string[]
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
    scopeFault(client) ?? grantFault(client) ?? authenticationFault(client) ?? redirectFault(client)
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

function authenticationFault({ authMethod, jwks }: ClientMetadata): string | undefined {
  if (!AUTH_METHODS.has(authMethod)) return `${authMethod} is no supported way to authenticate`
  if (authMethod !== 'private_key_jwt') {
    return jwks ? 'jwks is for clients that authenticate by private_key_jwt' : undefined
  }
  if (!jwks || !Array.isArray(jwks.keys) || jwks.keys.length === 0)
    return 'private_key_jwt needs jwks'
  if (jwks.keys.length > MAX_KEYS) return `jwks holds more than ${MAX_KEYS} keys`
  const kids = jwks.keys.map((key) => key['kid']).filter((kid) => kid !== undefined)
  if (new Set(kids).size !== kids.length) return 'jwks names a kid twice'
  return jwks.keys.map(keyFault).find((fault) => fault !== undefined)
}

// ES256, EdDSA and PS256 with a modulus of 2048 bits or more: what FAPI 2.0 allows.
function keyFault(key: Readonly<Record<string, unknown>>): string | undefined {
  if (PRIVATE_MEMBERS.some((member) => member in key)) return 'jwks holds a private or secret key'
  const { kty, crv, alg, use, n } = key
  if (use !== undefined && use !== 'sig') return 'jwks holds a key that is not for signatures'
  if (kty === 'EC' && crv === 'P-256' && fits(alg, 'ES256')) return undefined
  if (kty === 'OKP' && crv === 'Ed25519' && fits(alg, 'EdDSA', 'Ed25519')) return undefined
  if (kty === 'RSA' && fits(alg, 'PS256')) {
    const bytes = typeof n === 'string' ? Buffer.from(n, 'base64url').length : 0
    return bytes >= 256 ? undefined : 'jwks holds an RSA key of fewer than 2048 bits'
  }
  return 'jwks holds a key that signs neither ES256, EdDSA nor PS256'
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

function fits(alg: unknown, ...allowed: readonly string[]): boolean {
  return alg === undefined || (typeof alg === 'string' && allowed.includes(alg))
}

function redirectFault({ grantTypes, redirectUris, mode }: ClientMetadata): string | undefined {
  const redirects = grantTypes.includes('authorization_code')
  if (redirects !== redirectUris.length > 0) {
    return redirects ? 'authorization_code needs redirect_uris' : 'redirect_uris has no use here'
  }
  return redirectUris.map((uri) => uriFault(uri, mode)).find((fault) => fault !== undefined)
}

function uriFault(text: string, mode: TenantMode): string | undefined {
  const uri = URL.parse(text)
  if (uri === null) return `${text} is no absolute URI`
  if (text.includes('*')) return `${text} holds a wildcard`
  if (text.includes('#')) return `${text} holds a fragment`
  if (uri.username !== '' || uri.password !== '') return `${text} holds credentials`
  if (uri.protocol === 'https:') return undefined
  if (uri.protocol === 'http:' && mode === 'sandbox' && LOOPBACK.has(uri.hostname)) return undefined
  return `${text} is not https`
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])
