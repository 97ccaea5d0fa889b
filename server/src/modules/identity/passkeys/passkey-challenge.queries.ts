import { sql } from 'kysely'
import type { TxOf } from '../../../platform/db/types.ts'

/** Beside what else the authorization server remembers for a while: housekeeping is the same. */
const MODEL = 'PasskeyChallenge'

type Tx = TxOf<'identity'>

export interface StoredChallenge {
  readonly tenantId: string
  readonly idHash: Buffer
  readonly expiresAt: Date
}

export async function insertChallenge(tx: Tx, challenge: StoredChallenge): Promise<void> {
  const { tenantId, idHash, expiresAt } = challenge
  await sql`
    insert into identity.artifacts (model, id_hash, tenant_id, payload, expires_at)
    values (${MODEL}, ${idHash}, ${tenantId}, '{}', ${expiresAt})`.execute(tx)
}

/** True for exactly one of any number of callers, and for none once it has expired. */
export async function deleteChallenge(
  tx: Tx,
  tenantId: string,
  idHash: Buffer,
  at: Date,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    delete from identity.artifacts
    where tenant_id = ${tenantId} and model = ${MODEL} and id_hash = ${idHash}
      and expires_at > ${at}`.execute(tx)
  return numAffectedRows === 1n
}
