import type { TxOf } from '../../platform/db/types.ts'
import { newId } from '../../platform/ids.ts'
import { type TenantMode, type TenantRow, insertTenant } from './tenant.queries.ts'

/** A tenant is an organisation's sandbox or its live environment: two tenants, nothing shared. */
export async function createTenant(
  tx: TxOf<'identity'>,
  { name, mode, at }: { readonly name: string; readonly mode: TenantMode; readonly at: Date },
): Promise<TenantRow> {
  const tenant = { tenant_id: newId(at), name, mode, created_at: at }
  await insertTenant(tx, tenant)
  return tenant
}
