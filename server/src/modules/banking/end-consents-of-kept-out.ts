import { type KeptOut, revokeGrants } from '../identity/index.ts'
import { systemActor } from '../../platform/actor.ts'
import type { Tx } from '../../platform/db/types.ts'
import { newId, publicId } from '../../platform/ids.ts'
import { type ConsentRow, lockConsentsOfParties } from './consent.queries.ts'
import { type Ending, endConsents, grantsOf } from './end-consents.ts'

/** Ends every consent of people or clients that are let in no more, with the tokens under them. */
export async function endConsentsOfKeptOut(tx: Tx, ended: readonly KeptOut[]): Promise<void> {
  for (const tenantId of new Set(ended.map((one) => one.tenantId))) {
    const here = ended.filter((one) => one.tenantId === tenantId)
    const rows = await lockConsentsOfParties(tx, tenantId, {
      userIds: here.flatMap(({ userId }) => userId ?? []),
      clientIds: here.flatMap(({ clientId }) => clientId ?? []),
    })
    for (const one of here) {
      const { reason, at } = one
      const actor = systemActor('authorization_server', tenantId)
      const requestId = publicId('req', newId(at))
      const ending: Ending = { actor, requestId, at, by: 'revoked', reason }
      const own = rows.filter((row) => isOf(row, one))
      const revoked = endConsents(tx, new Map(own.map((row) => [row, ending])))
      await revokeGrants(tx, grantsOf(revoked, reason))
    }
  }
}

function isOf({ user_id: userId, client_id: clientId }: ConsentRow, one: KeptOut): boolean {
  return one.userId === undefined ? clientId === one.clientId : userId === one.userId
}
