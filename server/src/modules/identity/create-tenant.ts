import type { TxOf } from '../../platform/db/types.ts'
import { newId } from '../../platform/ids.ts'
import { type TenantMode, type TenantRow, insertTenant } from './tenant.queries.ts'

export interface NewTenant {
  readonly name: string
  readonly mode: TenantMode
  readonly at: Date
  /** Chosen before, as in a credentials file that was written first. Default: a new one. */
  readonly tenantId?: string
}

/** A tenant is an organisation's sandbox or its live environment: two tenants, nothing shared. */
export async function createTenant(
  tx: TxOf<'identity'>,
  { name, mode, at, tenantId = newId(at) }: NewTenant,
): Promise<TenantRow> {
  const tenant = { tenant_id: tenantId, name, mode, created_at: at }
  await insertTenant(tx, tenant)
  return tenant
}
