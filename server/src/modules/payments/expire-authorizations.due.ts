import { systemActor } from '../../platform/actor.ts'
import type { Batcher } from '../../platform/batch/batch.ts'
import type { Clock } from '../../platform/clock.ts'
import { statement } from '../../platform/db/statement.ts'
import type { DueQueue } from '../../platform/due/due.ts'
import { newId, publicId } from '../../platform/ids.ts'
import { expireAuthorizations } from './expire-authorizations.ts'

interface LapsedRow {
  readonly tenant_id: string
  readonly id: string
  readonly lease_no: bigint
}

/** Payments are due when their authorization lapses. */
export function authorizationQueue({
  batcher,
  clock,
}: {
  readonly batcher: Batcher
  readonly clock: Clock
}): DueQueue<LapsedRow> {
  return {
    name: 'authorization_expiry',
    maxInFlight: 64,
    async tenants(tx, now) {
      const { rows } = await selectDueTenants(tx, now.toISOString())
      return rows.map((row) => row.tenant_id)
    },
    async claim(tx, tenantIds, { now, limit, leaseSeconds }) {
      if (tenantIds.length === 0) return []
      const share = Math.ceil(limit / tenantIds.length)
      const at = now.toISOString()
      return (await claimRows(tx, tenantIds, at, share, limit, leaseSeconds)).rows
    },
    async work({ tenant_id: tenantId, id }) {
      await batcher.perform(expireAuthorizations, {
        tenantId,
        actor: systemActor('expire_authorizations', tenantId),
        requestId: publicId('req', newId(clock.now())),
        at: clock.now(),
        input: { paymentId: id },
      })
    },
    async release(tx, rows) {
      await releaseRows(
        tx,
        rows.map((row) => row.tenant_id),
        rows.map((row) => row.id),
        rows.map((row) => row.lease_no),
      )
    },
  }
}

const selectDueTenants = statement<{ tenant_id: string }>(`
  with recursive due as (
    (select tenant_id from payments.payments where due_at is not null order by tenant_id limit 1)
    union all
    (select (select p.tenant_id from payments.payments p
             where p.due_at is not null and p.tenant_id > d.tenant_id order by p.tenant_id limit 1)
     from due d where d.tenant_id is not null)
  )
  select d.tenant_id from due d
  where d.tenant_id is not null and exists (
    select 1 from payments.payments p where p.tenant_id = d.tenant_id and p.due_at <= $1::timestamptz)`)

const claimRows = statement<LapsedRow>(`
  with c as materialized (
    select d.* from unnest($1::uuid[]) as t (tenant_id)
    cross join lateral (
      select p.tenant_id, p.id from payments.payments p
      where p.tenant_id = t.tenant_id and p.due_at <= $2::timestamptz
        and (p.lease_until is null or p.lease_until < now())
      order by p.due_at, p.id limit $3::int for update skip locked
    ) d limit $4::int)
  update payments.payments p
  set lease_no = p.lease_no + 1, claims = p.claims + 1,
      lease_until = now() + $5::int * interval '1 second'
  from c where p.tenant_id = c.tenant_id and p.id = c.id
  returning p.tenant_id, p.id, p.lease_no`)

const releaseRows = statement(`
  update payments.payments p set lease_until = null, claims = p.claims - 1
  from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as u (tenant_id, id, lease_no)
  where p.tenant_id = u.tenant_id and p.id = u.id and p.lease_no = u.lease_no`)
