import type { Tx } from '../../platform/db/types.ts'
import { deleteArtifactsOf } from './artifact.queries.ts'
import type { ConsentSlot, KeptOut } from './consent-slot.ts'

/** What is known above of those who are let in no more. */
export type Consents = Pick<ConsentSlot, 'keptOut'> | undefined

/**
 * Ends what people or clients of one tenant hold or gave: their consents, then grants, codes, refresh
 * tokens and sessions. Access tokens are refused by the revocation that the caller writes.
 */
export async function endAccess(
  tx: Tx,
  tenantId: string,
  ended: readonly KeptOut[],
  consents: Consents,
): Promise<void> {
  if (ended.length === 0) return
  await consents?.keptOut(tx, ended)
  await deleteArtifactsOf(tx, {
    tenantId,
    userIds: ended.flatMap(({ userId }) => userId ?? []),
    clientIds: ended.flatMap(({ clientId }) => clientId ?? []),
  })
}
