import type { TxOf } from '../../platform/db/types.ts'
import { newId, publicId } from '../../platform/ids.ts'
import { hashSecret, newClientSecret } from './client-secret.ts'
import {
  type AuthMethod,
  type ClientKind,
  type GrantType,
  type PublicKeySet,
  insertClient,
} from './client.queries.ts'
import { clientFault } from './client.rules.ts'
import { type TenantMode, getTenant } from './tenant.queries.ts'

export interface NewClient {
  readonly tenantId: string
  readonly name: string
  readonly kind: ClientKind
  readonly grantTypes: readonly GrantType[]
  /** Space-separated, never empty. */
  readonly scope: string
  readonly authMethod: AuthMethod
  /** Public keys, for `private_key_jwt`. */
  readonly jwks?: PublicKeySet
  readonly redirectUris?: readonly string[]
  readonly at: Date
  /** Chosen before, as in a credentials file that was written first. Default: new ones. */
  readonly identity?: { readonly clientId: string; readonly clientSecret: string }
}

export interface CreatedClient {
  readonly clientId: string
  /** Shown this once: only its hash is kept. Absent for `private_key_jwt`. */
  readonly clientSecret?: string
}

/** Registers a client of a tenant. Throws when the rules of `client.rules.ts` forbid it. */
export async function createClient(tx: TxOf<'identity'>, asked: NewClient): Promise<CreatedClient> {
  const {
    tenantId,
    name,
    kind,
    grantTypes,
    scope,
    authMethod,
    jwks,
    redirectUris = [],
    at,
    identity,
  } = asked
  const { mode } = await getTenant(tx, tenantId)
  const fault = clientFault({ name, kind, mode, grantTypes, scope, authMethod, jwks, redirectUris })
  if (fault !== undefined) throw new Error(`the client ${name} cannot be registered: ${fault}`)
  const clientId = identity?.clientId ?? publicId('cli', newId(at))
  const secret = secretFor(asked, mode)
  await insertClient(tx, {
    client_id: clientId,
    tenant_id: tenantId,
    name,
    kind,
    secret_hashes: secret === undefined ? [] : [hashSecret(secret)],
    jwks: jwks ?? null,
    redirect_uris: [...redirectUris],
    grant_types: [...grantTypes],
    token_endpoint_auth_method: authMethod,
    scope,
    status: 'active',
    security_profile: 'standard',
    jwks_uri: null,
    post_logout_redirect_uris: [],
    allowed_cors_origins: [],
    authorization_details_types: [],
    created_by: 'sys:operator',
    updated_at: null,
    last_used_at: null,
    created_at: at,
  })
  return secret === undefined ? { clientId } : { clientId, clientSecret: secret }
}

function secretFor({ authMethod, identity }: NewClient, mode: TenantMode): string | undefined {
  if (authMethod === 'private_key_jwt') return undefined
  return identity?.clientSecret ?? newClientSecret(mode)
}
