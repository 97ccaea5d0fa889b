import type { Selectable } from 'kysely'
import type { DB, TxOf } from '../../platform/db/types.ts'

type Tx = TxOf<'identity'>

export type TenantMode = 'sandbox' | 'live'
export type TenantRow = Omit<Selectable<DB['identity.tenants']>, 'mode'> & { mode: TenantMode }

export async function insertTenant(tx: Tx, row: TenantRow): Promise<void> {
  await tx.insertInto('identity.tenants').values(row).execute()
}

export async function findTenant(tx: Tx, tenantId: string): Promise<TenantRow | undefined> {
  return await tx
    .selectFrom('identity.tenants')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .$narrowType<{ mode: TenantMode }>()
    .executeTakeFirst()
}

/** A tenant that is not there is a bug of the caller. */
export async function getTenant(tx: Tx, tenantId: string): Promise<TenantRow> {
  const row = await findTenant(tx, tenantId)
  if (row === undefined) throw new Error(`no tenant ${tenantId}`)
  return row
}

/** Every tenant of the install, oldest first: for operators, and to tell a new database. */
export async function listTenants(tx: Tx): Promise<TenantRow[]> {
  return await tx
    .selectFrom('identity.tenants')
    .selectAll()
    .orderBy('tenant_id')
    .$narrowType<{ mode: TenantMode }>()
    .execute()
}
