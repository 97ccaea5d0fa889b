import type { Selectable } from 'kysely'
import { expectCount, statement } from '../../platform/db/statement.ts'
import type { DB, TxOf } from '../../platform/db/types.ts'
import type { Page } from '../../platform/page.ts'

type Tx = TxOf<'banking'>

export type BeneficiaryRow = Selectable<DB['banking.beneficiaries']>

export async function insertBeneficiaries(tx: Tx, rows: readonly BeneficiaryRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx
    .insertInto('banking.beneficiaries')
    .values(rows.map(({ tenant_id, ...row }) => ({ tenant_id, ...row })))
    .execute()
}

/** The beneficiaries of these ids, deleted ones too, by `tenant id`. */
export async function findBeneficiaries(
  tx: Tx,
  pairs: readonly { readonly tenantId: string; readonly id: string }[],
): Promise<Map<string, BeneficiaryRow>> {
  const { rows } = await selectBeneficiaries(
    tx,
    pairs.map(({ tenantId }) => tenantId),
    pairs.map(({ id }) => id),
  )
  return new Map(rows.map((row) => [`${row.tenant_id} ${row.id}`, row]))
}

const selectBeneficiaries = statement<BeneficiaryRow>(`
  select b.* from unnest($1::uuid[], $2::uuid[]) as u (tenant_id, id)
  cross join lateral (
    select * from banking.beneficiaries k where k.tenant_id = u.tenant_id and k.id = u.id
  ) b`)

export async function lockBeneficiaries(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, BeneficiaryRow>> {
  const { rows } = await selectForUpdate(tx, tenantId, ids)
  return new Map(rows.map((row) => [row.id, row]))
}

const selectForUpdate = statement<BeneficiaryRow>(`
  select * from banking.beneficiaries where tenant_id = $1 and id = any($2::uuid[])
  order by id for update`)

/** One more than the page holds, in order of creation. */
export async function listBeneficiaries(
  tx: Tx,
  tenantId: string,
  partyId: string | null,
  { limit, order, after }: Page,
): Promise<BeneficiaryRow[]> {
  let query = tx
    .selectFrom('banking.beneficiaries')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('party_id', partyId === null ? 'is' : '=', partyId)
    .where('deleted_at', 'is', null)
    .orderBy('id', order)
    .limit(limit + 1)
  const [last] = after ?? []
  if (last !== undefined) query = query.where('id', order === 'asc' ? '>' : '<', last)
  return await query.execute()
}

/** Writes name and deletion; the rows must be locked. */
export async function updateBeneficiaries(
  tx: Tx,
  tenantId: string,
  rows: readonly BeneficiaryRow[],
): Promise<void> {
  if (rows.length === 0) return
  const written = await writeBeneficiaries(
    tx,
    tenantId,
    rows.map((row) => row.id),
    rows.map((row) => row.version),
    rows.map((row) => row.event_sequence),
    rows.map((row) => row.name),
    rows.map((row) => row.updated_at),
    rows.map((row) => row.deleted_at),
  )
  expectCount('beneficiaries', written, rows.length)
}

const writeBeneficiaries = statement(`
  update banking.beneficiaries as b
  set version = u.version, event_sequence = u.event_sequence, name = u.name,
      updated_at = u.updated_at, deleted_at = u.deleted_at
  from unnest($2::uuid[], $3::int[], $4::int[], $5::text[], $6::timestamptz[], $7::timestamptz[])
    as u (id, version, event_sequence, name, updated_at, deleted_at)
  where b.tenant_id = $1 and b.id = u.id`)
