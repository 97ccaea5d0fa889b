import { sql } from 'kysely'
import type { TxOf } from '../../../platform/db/types.ts'
import type { SealedPayload } from '../artifact.queries.ts'

type Tx = TxOf<'identity'>

/** Beside the library's own artifacts: they are purged, and end with their person, alike. */
export const SESSION_MODEL = 'AccountSession'

export interface StoredSession {
  readonly idHash: Buffer
  readonly tenantId: string
  /** Null while somebody is signing in. */
  readonly subjectHash: Buffer | null
  readonly payload: SealedPayload
  readonly expiresAt: Date
}

export async function insertSession(tx: Tx, session: StoredSession): Promise<void> {
  const { idHash, tenantId, subjectHash, payload, expiresAt } = session
  await sql`
    insert into identity.artifacts (model, id_hash, tenant_id, subject_hash, payload, expires_at)
    values (${SESSION_MODEL}, ${idHash}, ${tenantId}, ${subjectHash}, ${JSON.stringify(payload)}::jsonb,
            ${expiresAt})`.execute(tx)
}

export async function findSession(tx: Tx, idHash: Buffer): Promise<SealedPayload | undefined> {
  const { rows } = await sql<{ payload: SealedPayload }>`
    select payload from identity.artifacts
    where model = ${SESSION_MODEL} and id_hash = ${idHash}`.execute(tx)
  return rows[0]?.payload
}

/** Brings none back that was ended meanwhile. */
export async function updateSession(
  tx: Tx,
  { idHash, payload, expiresAt }: Pick<StoredSession, 'idHash' | 'payload' | 'expiresAt'>,
): Promise<void> {
  await sql`
    update identity.artifacts set payload = ${JSON.stringify(payload)}::jsonb, expires_at = ${expiresAt}
    where model = ${SESSION_MODEL} and id_hash = ${idHash}`.execute(tx)
}
