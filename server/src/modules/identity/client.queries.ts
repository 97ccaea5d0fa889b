import { type Selectable, sql } from 'kysely'
import type { DB, TxOf } from '../../platform/db/types.ts'
import type { TenantMode } from './tenant.queries.ts'

/**
 * The client directory of the install: a client is found by its id before its tenant is known,
 * which makes `identity.clients` one of the named exceptions to "tenant first".
 */
type Tx = TxOf<'identity'>

export type ClientKind = 'service' | 'third_party' | 'first_party'
export type GrantType = 'client_credentials' | 'authorization_code' | 'refresh_token'
export type AuthMethod = 'private_key_jwt' | 'client_secret_basic' | 'client_secret_post'
export type ClientStatus = 'active' | 'disabled'

/** RFC 7517 public keys. */
export interface PublicKeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

/** What the schema knows only as text or json. */
interface Narrow {
  kind: ClientKind
  grant_types: GrantType[]
  token_endpoint_auth_method: AuthMethod
  jwks: PublicKeySet | null
  status: ClientStatus
}

export type ClientRow = Omit<Selectable<DB['identity.clients']>, keyof Narrow> & Narrow
/** A client and what its tenant says about it. */
export type DirectoryRow = ClientRow & { mode: TenantMode }

export async function insertClient(tx: Tx, row: ClientRow): Promise<void> {
  const { jwks, ...columns } = row
  await tx
    .insertInto('identity.clients')
    .values({ ...columns, jwks: jwks === null ? null : JSON.stringify(jwks) })
    .execute()
}

/** The active client of this id. Keyed by id alone: this is where a tenant is learnt. */
export async function findActiveClient(
  tx: Tx,
  clientId: string,
): Promise<DirectoryRow | undefined> {
  return await directory(tx).where('client.client_id', '=', clientId).executeTakeFirst()
}

/** All active clients after this id, for the check at boot. Ordered by id, at most `limit`. */
export async function listActiveClients(
  tx: Tx,
  afterId: string,
  limit: number,
): Promise<DirectoryRow[]> {
  return await directory(tx)
    .where('client.client_id', '>', afterId)
    .orderBy('client.client_id')
    .limit(limit)
    .execute()
}

/** The clients of one tenant, disabled ones too, oldest first. */
export async function listClients(tx: Tx, tenantId: string): Promise<ClientRow[]> {
  return await tx
    .selectFrom('identity.clients')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('client_id')
    .$castTo<ClientRow>()
    .execute()
}

/** Puts a hash in front, behind which `keep` (0 or 1) of the older ones stay. */
export async function updateSecretHashes(
  tx: Tx,
  tenantId: string,
  { clientId, secretHash, keep }: { clientId: string; secretHash: string; keep: 0 | 1 },
): Promise<ClientRow | undefined> {
  return await tx
    .updateTable('identity.clients')
    .set({ secret_hashes: sql`array[${secretHash}] || secret_hashes[1:${keep}::integer]` })
    .where('tenant_id', '=', tenantId)
    .where('client_id', '=', clientId)
    .returningAll()
    .$castTo<ClientRow>()
    .executeTakeFirst()
}

function directory(tx: Tx) {
  return tx
    .selectFrom('identity.clients as client')
    .innerJoin('identity.tenants as tenant', 'tenant.tenant_id', 'client.tenant_id')
    .selectAll('client')
    .select('tenant.mode')
    .where('client.status', '=', 'active')
    .$castTo<DirectoryRow>()
}
