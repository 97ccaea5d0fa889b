import type { Client } from 'oidc-provider'
import type { ClientKind, SecurityProfile } from './client.queries.ts'
import type { TenantMode } from '../tenant.queries.ts'

/** What the client directory tells the library beyond its own metadata. It keeps these names. */
export interface OurMetadata {
  readonly tenant_id: string
  readonly tenant_mode: TenantMode
  readonly kind: ClientKind
  readonly secret_hashes: readonly string[]
  readonly security_profile: SecurityProfile
  readonly cors_origins: readonly string[]
}

export function oursOf(client: Client | undefined): OurMetadata {
  return client as unknown as OurMetadata
}

export function profileOf(client: Client | undefined): SecurityProfile {
  return oursOf(client).security_profile
}

/** The scopes that a client holds, in its own order. */
export function scopesOf(client: Client): readonly string[] {
  return (client.scope ?? '').split(' ').filter((scope) => scope !== '')
}
