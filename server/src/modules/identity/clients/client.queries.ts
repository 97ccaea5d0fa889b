import { type Selectable, sql } from 'kysely'
import type { DB, TxOf } from '../../../platform/db/types.ts'
import type { Page } from '../../../platform/page.ts'
import type { TenantMode } from '../tenant.queries.ts'

/**
 * The client directory of the install: a client is found by its id before its tenant is known,
 * which makes `identity.clients` one of the named exceptions to "tenant first".
 */
type Tx = TxOf<'identity'>

export type ClientKind = 'service' | 'third_party' | 'first_party'
export type GrantType = 'client_credentials' | 'authorization_code' | 'refresh_token'
export type AuthMethod = 'private_key_jwt' | 'client_secret_basic' | 'client_secret_post'
export type SecurityProfile = 'standard' | 'fapi2'
export type ClientStatus = 'active' | 'disabled'

/** RFC 7517 public keys. */
export interface PublicKeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

/** What the schema knows only as text or json. */
interface Narrow {
  kind: ClientKind
  security_profile: SecurityProfile
  grant_types: GrantType[]
  token_endpoint_auth_method: AuthMethod
  jwks: PublicKeySet | null
  status: ClientStatus
}

export type ClientRow = Omit<Selectable<DB['identity.clients']>, keyof Narrow> & Narrow
/** A client and what its tenant says about it. */
export type DirectoryRow = ClientRow & { mode: TenantMode }

/** A row whose id is there already is left alone: the same request was committed before. */
export async function insertClients(tx: Tx, rows: readonly ClientRow[]): Promise<void> {
  await sql`
    insert into identity.clients
    select asked.* from jsonb_populate_recordset(null::identity.clients, ${JSON.stringify(rows)}::jsonb) as asked
    on conflict (client_id) do nothing`.execute(tx)
}

/** Writes what may change of a client, in rows that this transaction has locked. */
export async function updateClients(tx: Tx, rows: readonly ClientRow[]): Promise<void> {
  await sql`
    update identity.clients as kept
       set (name, secret_hashes, jwks, jwks_uri, redirect_uris, post_logout_redirect_uris, allowed_cors_origins,
            grant_types, scope, authorization_details_types, status, version, updated_at)
         = (asked.name, asked.secret_hashes, asked.jwks, asked.jwks_uri, asked.redirect_uris,
            asked.post_logout_redirect_uris, asked.allowed_cors_origins, asked.grant_types, asked.scope,
            asked.authorization_details_types, asked.status, asked.version, asked.updated_at)
      from jsonb_populate_recordset(null::identity.clients, ${JSON.stringify(rows)}::jsonb) as asked
     where kept.tenant_id = asked.tenant_id and kept.client_id = asked.client_id`.execute(tx)
}

/** The clients of these ids, disabled ones too, locked until the transaction ends. */
export async function lockClients(
  tx: Tx,
  tenantId: string,
  clientIds: readonly string[],
): Promise<Map<string, DirectoryRow>> {
  const rows = await clientsWithMode(tx)
    .where('client.tenant_id', '=', tenantId)
    .where('client.client_id', 'in', [...clientIds])
    .orderBy('client.client_id')
    .forUpdate('client')
    .execute()
  return new Map(rows.map((row) => [row.client_id, row]))
}

export async function findClient(
  tx: Tx,
  tenantId: string,
  clientId: string,
): Promise<ClientRow | undefined> {
  return await tx
    .selectFrom('identity.clients')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('client_id', '=', clientId)
    .$castTo<ClientRow>()
    .executeTakeFirst()
}

/** A page of a tenant's clients, and one row more. */
export async function pageClients(
  tx: Tx,
  tenantId: string,
  { limit, order, after }: Page,
): Promise<ClientRow[]> {
  const [afterId] = after ?? []
  let query = tx.selectFrom('identity.clients').selectAll().where('tenant_id', '=', tenantId)
  if (afterId !== undefined) {
    query = query.where('client_id', order === 'asc' ? '>' : '<', afterId)
  }
  return await query
    .orderBy('client_id', order)
    .limit(limit + 1)
    .$castTo<ClientRow>()
    .execute()
}

/** When these clients last took a token. No change of theirs: the version stays. */
export async function touchClients(tx: Tx, clientIds: readonly string[], at: Date): Promise<void> {
  await tx
    .updateTable('identity.clients')
    .set({ last_used_at: at })
    .where('client_id', 'in', [...clientIds])
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
  return clientsWithMode(tx).where('client.status', '=', 'active')
}

function clientsWithMode(tx: Tx) {
  return tx
    .selectFrom('identity.clients as client')
    .innerJoin('identity.tenants as tenant', 'tenant.tenant_id', 'client.tenant_id')
    .selectAll('client')
    .select('tenant.mode')
    .$castTo<DirectoryRow>()
}
