import { type Asked, tenantOf } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type UserRow, lockUsers } from './user.queries.ts'

/** The users that a batch is about, by uuid; those of other tenants are not there. */
export type HeldUsers = ReadonlyMap<string, UserRow>

/** Locks the users whom these requests name. */
export async function lockUsersOf(
  tx: Tx,
  requests: readonly Asked<{ readonly userId: string }>[],
): Promise<HeldUsers> {
  const ids = requests.map(({ input }) => input.userId)
  return await lockUsers(tx, tenantOf(requests), ids)
}
