import { systemActor } from '../../platform/actor.ts'
import type { Batcher } from '../../platform/batch/batch.ts'
import type { Clock } from '../../platform/clock.ts'
import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'
import type { DueQueue } from '../../platform/due/due.ts'
import { newId, publicId } from '../../platform/ids.ts'
import { expireHolds } from './expire-holds.ts'

type Tx = TxOf<'ledger'>

export interface ExpiredHold {
  readonly tenant_id: string
  readonly hold_id: string
}

const MAX_IN_FLIGHT = 500 // what one batch takes

/**
 * Pending holds are due when they run out. Nothing is leased: an expiry calls nobody and is one
 * database transaction, so a worker that dies leaves nothing half done, and of two that find the
 * same hold the second is refused. Posting a hold after its time is refused with or without this.
 */
export function holdQueue({
  batcher,
  clock,
}: {
  readonly batcher: Pick<Batcher, 'perform'>
  readonly clock: Clock
}): DueQueue<ExpiredHold> {
  const begun = new Set<string>()
  return {
    name: 'hold_expiry',
    maxInFlight: MAX_IN_FLIGHT,
    tenants: listTenantsWithExpiredHolds,
    async claim(tx, tenantIds, asked) {
      const found = await claimExpiredHolds(tx, tenantIds, asked)
      const rows = found.filter((row) => !begun.has(row.hold_id))
      for (const row of rows) begun.add(row.hold_id)
      return rows
    },
    async work({ tenant_id: tenantId, hold_id: holdId }) {
      try {
        const at = clock.now()
        await batcher.perform(expireHolds, {
          tenantId,
          actor: systemActor('expire_holds', tenantId),
          requestId: publicId('req', newId(at)),
          at,
          input: { holdId },
        })
      } finally {
        begun.delete(holdId)
      }
    },
    release(_tx, rows) {
      for (const row of rows) begun.delete(row.hold_id)
      return Promise.resolve()
    },
  }
}

/** Tenants of which a pending hold has run out. */
async function listTenantsWithExpiredHolds(tx: Tx, now: Date): Promise<string[]> {
  const { rows } = await selectTenantsWithExpired(tx, now.toISOString())
  return rows.map((row) => row.tenant_id)
}

// A loose scan over the index: one probe per tenant, however many holds it has.
const selectTenantsWithExpired = statement<{ tenant_id: string }>(`
  with recursive tenants as (
    (select h.tenant_id from ledger.holds h
     where h.status = 'pending' and h.expires_at is not null
     order by h.tenant_id limit 1)
    union all
    select next.tenant_id from tenants t cross join lateral (
      select h.tenant_id from ledger.holds h
      where h.tenant_id > t.tenant_id and h.status = 'pending' and h.expires_at is not null
      order by h.tenant_id limit 1
    ) next
  )
  select t.tenant_id from tenants t
  where exists (
    select 1 from ledger.holds h
    where h.tenant_id = t.tenant_id and h.status = 'pending' and h.expires_at <= $1::timestamptz
  )`)

/** Pending holds of these tenants that have run out, a fair share of each, the longest first. */
async function claimExpiredHolds(
  tx: Tx,
  tenantIds: readonly string[],
  { now, limit }: { readonly now: Date; readonly limit: number },
): Promise<ExpiredHold[]> {
  if (tenantIds.length === 0) return []
  const share = Math.ceil(limit / tenantIds.length)
  return (await selectExpired(tx, tenantIds, now.toISOString(), share, limit)).rows
}

const selectExpired = statement<ExpiredHold>(`
  select d.tenant_id, d.hold_id from unnest($1::uuid[]) as u (tenant_id)
  cross join lateral (
    select h.tenant_id, h.hold_id from ledger.holds h
    where h.tenant_id = u.tenant_id and h.status = 'pending' and h.expires_at <= $2::timestamptz
    order by h.expires_at, h.hold_id limit $3::int
  ) d limit $4::int`)
