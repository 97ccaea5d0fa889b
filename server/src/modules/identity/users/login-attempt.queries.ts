import { sql } from 'kysely'
import type { TxOf } from '../../../platform/db/types.ts'

type Tx = TxOf<'identity'>

/** How a kind of subject is slowed down. Times in seconds. */
export interface Brake {
  /** So many failures cost nothing. */
  readonly free: number
  /** The first pause; it doubles with each further failure. */
  readonly firstPause: number
  readonly longestPause: number
}

export interface Attempt {
  readonly tenantId: string
  readonly subjectHash: Buffer
  readonly at: Date
  readonly brake: Brake
}

/**
 * Counts an attempt as failed before anybody knows whether it will; a success takes it back. So of
 * many sent at once no more get through than of as many sent one after the other. Answers undefined
 * when the attempt may be made, else until when no further one is heard.
 */
export async function countAttempt(
  tx: Tx,
  { tenantId, subjectHash, at, brake }: Attempt,
): Promise<Date | undefined> {
  const { free, firstPause, longestPause } = brake
  const forgetAt = new Date(at.getTime() + FORGET_MS)
  const { rows } = await sql<{ blocked_until: Date | null }>`
    insert into identity.login_attempts as a (tenant_id, subject_hash, failures, blocked_until, forget_at)
    values (${tenantId}, ${subjectHash}, 1, null, ${forgetAt})
    on conflict (tenant_id, subject_hash) do update
    set failures = case when a.forget_at <= ${at} then 1 else a.failures + 1 end,
        blocked_until = case when a.forget_at > ${at} and a.failures + 1 >= ${free}::integer
          then ${at}::timestamptz + least(${longestPause}::integer,
               ${firstPause}::integer * power(2, least(a.failures + 1 - ${free}::integer, 20)))
               * interval '1 second' end,
        forget_at = ${forgetAt}
    where a.blocked_until is null or a.blocked_until <= ${at}
    returning blocked_until`.execute(tx)
  if (rows.length > 0) return undefined
  return await blockedUntil(tx, tenantId, subjectHash)
}

const FORGET_MS = 24 * 3_600_000 // of quiet: then the count begins anew

async function blockedUntil(tx: Tx, tenantId: string, subjectHash: Buffer): Promise<Date> {
  const row = await tx
    .selectFrom('identity.login_attempts')
    .select('blocked_until')
    .where('tenant_id', '=', tenantId)
    .where('subject_hash', '=', subjectHash)
    .executeTakeFirst()
  return row?.blocked_until ?? new Date(0)
}

export async function clearAttempts(
  tx: Tx,
  tenantId: string,
  subjectHashes: readonly Buffer[],
): Promise<void> {
  await sql`
    update identity.login_attempts set failures = 0, blocked_until = null
    where tenant_id = ${tenantId} and subject_hash = any(${subjectHashes}::bytea[])`.execute(tx)
}

/** One failure less. */
export async function takeBackAttempt(
  tx: Tx,
  tenantId: string,
  subjectHash: Buffer,
): Promise<void> {
  await sql`
    update identity.login_attempts set failures = greatest(failures - 1, 0)
    where tenant_id = ${tenantId} and subject_hash = ${subjectHash}`.execute(tx)
}

/** At most `limit`; answers how many went. */
export async function deleteForgotten(tx: Tx, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from identity.login_attempts where (tenant_id, subject_hash) in (
      select tenant_id, subject_hash from identity.login_attempts
      where forget_at < now() order by forget_at limit ${limit})`.execute(tx)
  return Number(numAffectedRows)
}
