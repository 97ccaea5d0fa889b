import type { Selectable } from 'kysely'
import { expectCount, statement } from '../../platform/db/statement.ts'
import { afterCommit } from '../../platform/db/transaction.ts'
import type { DB, TxOf } from '../../platform/db/types.ts'
import { attemptsAreDue } from './attempts-due.ts'
import type { OperationKind } from './connectors/connector.ts'
import type { Failure } from './connectors/failure-codes.ts'
import type { AttemptStatus } from './payment.states.ts'

type Tx = TxOf<'payments'>

export type AttemptRow = Omit<
  Selectable<DB['payments.attempts']>,
  'status' | 'operation' | 'subject_kind' | 'instrument' | 'failure'
> & {
  status: AttemptStatus
  operation: OperationKind
  subject_kind: 'payment' | 'capture' | 'refund' | 'void'
  instrument: { readonly token: string } | null
  failure: Failure | null
}

/** An attempt as it is first written, due at once. */
export interface NewAttempt {
  readonly tenantId: string
  readonly id: string
  readonly paymentId: string
  readonly subjectKind: AttemptRow['subject_kind']
  readonly subjectId: string
  readonly operation: OperationKind
  readonly gatewayId: string
  readonly amount: bigint
  readonly currency: string
  readonly token: string | null
  readonly parentAttemptId: string | null
  readonly final: boolean | null
  readonly at: Date
}

export function insertAttempts(tx: Tx, attempts: readonly NewAttempt[]): void {
  if (attempts.length === 0) return
  const tenantIds = new Set(attempts.map(({ tenantId }) => tenantId))
  afterCommit(tx, () => tenantIds.forEach(attemptsAreDue))
  insertRows.send(
    tx,
    attempts.map(({ tenantId }) => tenantId),
    attempts.map(({ id }) => id),
    attempts.map(({ paymentId }) => paymentId),
    attempts.map(({ subjectKind }) => subjectKind),
    attempts.map(({ subjectId }) => subjectId),
    attempts.map(({ operation }) => operation),
    attempts.map(({ gatewayId }) => gatewayId),
    attempts.map(({ amount }) => amount),
    attempts.map(({ currency }) => currency),
    attempts.map(({ token }) => (token === null ? null : { token })),
    attempts.map(({ parentAttemptId }) => parentAttemptId),
    attempts.map(({ final }) => final),
    attempts.map(({ at }) => at),
  )
}

const insertRows = statement(`
  insert into payments.attempts
    (tenant_id, id, payment_id, subject_kind, subject_id, operation, gateway_id, attempt_no, status,
     amount, currency, instrument, parent_attempt_id, final, created_at, due_at)
  select u.tenant_id, u.id, u.payment_id, u.subject_kind, u.subject_id, u.operation, u.gateway_id, 1,
         'created', u.amount, u.currency, u.instrument, u.parent_attempt_id, u.final, u.at, u.at
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[],
              $8::bigint[], $9::text[], $10::jsonb[], $11::uuid[], $12::bool[], $13::timestamptz[])
    as u (tenant_id, id, payment_id, subject_kind, subject_id, operation, gateway_id, amount, currency,
          instrument, parent_attempt_id, final, at)`)

/** A due attempt in our hands: `status` is what it was before the claim. */
export type ClaimedAttempt = AttemptRow

/** Tenants with due attempts: a loose walk over the due index, one probe per tenant. */
export async function listTenantsWithDueAttempts(tx: Tx, now: Date): Promise<string[]> {
  const { rows } = await selectDueTenants(tx, now.toISOString())
  return rows.map((row) => row.tenant_id)
}

const selectDueTenants = statement<{ tenant_id: string }>(`
  with recursive due as (
    (select tenant_id from payments.attempts where due_at is not null order by tenant_id limit 1)
    union all
    (select (select a.tenant_id from payments.attempts a
             where a.due_at is not null and a.tenant_id > d.tenant_id order by a.tenant_id limit 1)
     from due d where d.tenant_id is not null)
  )
  select d.tenant_id from due d
  where d.tenant_id is not null and exists (
    select 1 from payments.attempts a where a.tenant_id = d.tenant_id and a.due_at <= $1::timestamptz)`)

/**
 * Leases due attempts, a fair share of each tenant, and marks those about to be sent as `sending`:
 * committed before any byte leaves, so that whoever finds an expired lease knows to inquire first.
 */
export async function claimDueAttempts(
  tx: Tx,
  tenantIds: readonly string[],
  { now, limit, leaseSeconds }: { now: Date; limit: number; leaseSeconds: number },
): Promise<ClaimedAttempt[]> {
  if (tenantIds.length === 0) return []
  const perTenant = Math.ceil(limit / tenantIds.length)
  const { rows } = await claimRows(tx, tenantIds, now.toISOString(), perTenant, limit, leaseSeconds)
  return rows
}

const claimRows = statement<ClaimedAttempt>(`
  with c as materialized (
    select d.* from unnest($1::uuid[]) as t (tenant_id)
    cross join lateral (
      select a.tenant_id, a.id, a.status from payments.attempts a
      where a.tenant_id = t.tenant_id and a.due_at <= $2::timestamptz
        and (a.lease_until is null or a.lease_until < now())
      order by a.due_at, a.id limit $3::int for update skip locked
    ) d limit $4::int)
  update payments.attempts a
  set lease_no = a.lease_no + 1, claims = a.claims + 1,
      lease_until = now() + $5::int * interval '1 second',
      status = case when a.status in ('created', 'not_sent') then 'sending' else a.status end,
      sent_at = coalesce(a.sent_at, $2::timestamptz)
  from c where a.tenant_id = c.tenant_id and a.id = c.id
  returning a.tenant_id, a.id, a.payment_id, a.subject_kind, a.subject_id, a.operation, a.gateway_id,
    a.attempt_no, c.status, a.amount, a.currency, a.instrument, a.parent_attempt_id, a.final,
    a.gateway_reference, a.echoed_amount, a.echoed_currency, a.failure, a.cause, a.sends,
    a.inquiry_count, a.sent_at, a.answered_at, a.created_at, a.closed_at, a.due_at, a.lease_until,
    a.lease_no, a.claims`)

/** Gives back what was not begun. */
export async function releaseAttempts(tx: Tx, claimed: readonly ClaimedAttempt[]): Promise<void> {
  await releaseRows(
    tx,
    claimed.map((row) => row.tenant_id),
    claimed.map((row) => row.id),
    claimed.map((row) => row.lease_no),
    claimed.map((row) => row.status),
  )
}

const releaseRows = statement(`
  update payments.attempts a set lease_until = null, claims = a.claims - 1, status = u.status
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[]) as u (tenant_id, id, lease_no, status)
  where a.tenant_id = u.tenant_id and a.id = u.id and a.lease_no = u.lease_no`)

/** Locks attempts of one tenant in order of id. */
export async function lockAttempts(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, AttemptRow>> {
  if (ids.length === 0) return new Map()
  const { rows } = await selectForUpdate(tx, tenantId, [...new Set(ids)].toSorted())
  return new Map(rows.map((row) => [row.id, row]))
}

const selectForUpdate = statement<AttemptRow>(`
  select * from payments.attempts where tenant_id = $1 and id = any($2::uuid[]) order by id for update`)

/**
 * Writes attempts that were locked and changed in memory. The lease ends with it and its number is
 * used up: whoever writes the same reply again, after a COMMIT of unknown end, finds it stale.
 */
export async function updateAttempts(tx: Tx, rows: readonly AttemptRow[]): Promise<void> {
  if (rows.length === 0) return
  const result = await updateRows(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.status),
    rows.map((row) => row.gateway_reference),
    rows.map((row) => row.echoed_amount),
    rows.map((row) => row.echoed_currency),
    rows.map((row) => row.failure),
    rows.map((row) => row.cause),
    rows.map((row) => row.sends),
    rows.map((row) => row.inquiry_count),
    rows.map((row) => row.answered_at),
    rows.map((row) => row.closed_at),
    rows.map((row) => row.due_at),
    rows.map((row) => row.lease_no),
  )
  expectCount('attempts', result, rows.length)
}

const updateRows = statement(`
  update payments.attempts a
  set status = u.status, gateway_reference = u.gateway_reference, echoed_amount = u.echoed_amount,
      echoed_currency = u.echoed_currency, failure = u.failure, cause = u.cause, sends = u.sends,
      inquiry_count = u.inquiry_count, answered_at = u.answered_at, closed_at = u.closed_at,
      due_at = u.due_at, lease_until = null, lease_no = a.lease_no + 1, claims = 0
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::jsonb[],
              $8::text[], $9::int[], $10::int[], $11::timestamptz[], $12::timestamptz[],
              $13::timestamptz[], $14::bigint[])
    as u (tenant_id, id, status, gateway_reference, echoed_amount, echoed_currency, failure, cause,
          sends, inquiry_count, answered_at, closed_at, due_at, lease_no)
  where a.tenant_id = u.tenant_id and a.id = u.id and a.lease_no = u.lease_no`)

export async function listAttemptsOf(
  tx: Tx,
  tenantId: string,
  paymentId: string,
): Promise<AttemptRow[]> {
  const rows = await tx
    .selectFrom('payments.attempts')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('payment_id', '=', paymentId)
    .orderBy('id')
    .limit(1_000)
    .execute()
  return rows as AttemptRow[]
}

/** The open attempts of these payments are looked at now instead of later. */
export async function bringForwardLooks(
  tx: Tx,
  tenantId: string,
  paymentIds: readonly string[],
  now: Date,
): Promise<void> {
  if (paymentIds.length === 0) return
  await updateDue(tx, tenantId, paymentIds, now.toISOString())
}

const updateDue = statement(`
  update payments.attempts set due_at = least(due_at, $3::timestamptz)
  where tenant_id = $1 and payment_id = any($2::uuid[]) and due_at is not null`)
