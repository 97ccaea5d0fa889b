import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'

/** Current versions by id of payments and refunds that clients wait for: one query for all. */
export async function waitedVersions(
  tx: TxOf<'payments'>,
  objects: readonly { tenantId: string; objectId: string }[],
): Promise<Map<string, number>> {
  const { rows } = await selectVersions(
    tx,
    objects.map(({ tenantId }) => tenantId),
    objects.map(({ objectId }) => objectId),
  )
  return new Map(rows.map((row) => [row.id, row.version]))
}

const selectVersions = statement<{ id: string; version: number }>(`
  with waited as (
    select * from unnest($1::uuid[], $2::uuid[]) as u (tenant_id, id)
  )
  select p.id, p.version from waited u
  join payments.payments p on p.tenant_id = u.tenant_id and p.id = u.id
  union all
  select r.id, r.version from waited u
  join payments.refunds r on r.tenant_id = u.tenant_id and r.id = u.id`)
