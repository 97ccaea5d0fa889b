import type { TxOf } from '../../../platform/db/types.ts'
import { newId, publicId } from '../../../platform/ids.ts'
import { rulesView } from './client-metadata.ts'
import { hashSecret, newClientSecret } from './client-secret.ts'
import {
  type AuthMethod,
  type ClientKind,
  type ClientRow,
  type GrantType,
  type PublicKeySet,
  type SecurityProfile,
  insertClients,
} from './client.queries.ts'
import { clientFault } from './client.rules.ts'
import { type TenantMode, getTenant } from '../tenant.queries.ts'

export interface NewClient {
  readonly tenantId: string
  readonly name: string
  readonly kind: ClientKind
  /** Default: `standard`. */
  readonly profile?: SecurityProfile
  readonly grantTypes: readonly GrantType[]
  /** Space-separated, never empty. */
  readonly scope: string
  readonly authMethod: AuthMethod
  /** Public keys, for `private_key_jwt`: these, or an https address where they stand. */
  readonly jwks?: PublicKeySet
  readonly jwksUri?: string
  readonly redirectUris?: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  readonly corsOrigins?: readonly string[]
  readonly authorizationDetailsTypes?: readonly string[]
  readonly at: Date
  /** Who registers it. Default: the operator of the install. */
  readonly by?: string
  /** Chosen before, as in a credentials file that was written first. Default: new ones. */
  readonly identity?: { readonly clientId: string; readonly clientSecret: string }
}

export interface CreatedClient {
  readonly clientId: string
  /** Shown this once: only its hash is kept. Absent for `private_key_jwt`. */
  readonly clientSecret?: string
}

/** What the rules say against a client, in words for whoever registers it. */
export class ClientFault extends Error {
  override readonly name = 'ClientFault'
}

/** Registers a client of a tenant. Throws `ClientFault` when the rules of `client.rules.ts` forbid it. */
export async function createClient(tx: TxOf<'identity'>, asked: NewClient): Promise<CreatedClient> {
  const { mode } = await getTenant(tx, asked.tenantId)
  const clientId = asked.identity?.clientId ?? publicId('cli', newId(asked.at))
  const secret = secretFor(asked, mode)
  const row = clientRow(asked, clientId, secret)
  const fault = clientFault(rulesView({ ...row, mode }))
  if (fault !== undefined)
    throw new ClientFault(`The client ${asked.name} cannot be registered: ${fault}.`)
  await insertClients(tx, [row])
  return secret === undefined ? { clientId } : { clientId, clientSecret: secret }
}

/** The row of a client that has not been judged yet. */
export function clientRow(asked: NewClient, clientId: string, secret?: string): ClientRow {
  return {
    client_id: clientId,
    tenant_id: asked.tenantId,
    name: asked.name,
    kind: asked.kind,
    security_profile: asked.profile ?? 'standard',
    secret_hashes: secret === undefined ? [] : [hashSecret(secret)],
    jwks: asked.jwks ?? null,
    jwks_uri: asked.jwksUri ?? null,
    redirect_uris: [...(asked.redirectUris ?? [])],
    post_logout_redirect_uris: [...(asked.postLogoutRedirectUris ?? [])],
    allowed_cors_origins: [...(asked.corsOrigins ?? [])],
    grant_types: [...asked.grantTypes],
    token_endpoint_auth_method: asked.authMethod,
    scope: asked.scope,
    authorization_details_types: [...(asked.authorizationDetailsTypes ?? [])],
    status: 'active',
    version: 1,
    created_at: asked.at,
    created_by: asked.by ?? 'sys:operator',
    updated_at: null,
    last_used_at: null,
  }
}

function secretFor({ authMethod, identity }: NewClient, mode: TenantMode): string | undefined {
  if (authMethod === 'private_key_jwt') return undefined
  return identity?.clientSecret ?? newClientSecret(mode)
}
