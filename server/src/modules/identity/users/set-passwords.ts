import { actOf, recordAudit } from '../../audit/index.ts'
import { type Asked, type Command, tenantOf } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { publicId } from '../../../platform/ids.ts'
import { deleteSessionsOf } from '../artifact.queries.ts'
import { revokeSubjects } from '../revoke-tokens.ts'
import { listPasswords, upsertPasswords } from './credential.queries.ts'
import { type HeldUsers, lockUsersOf } from './lock-users.ts'
import { refuse } from './user.errors.ts'
import type { UserKind, UserRow } from './user.queries.ts'

export interface PasswordChange {
  readonly userId: string
  readonly kind: UserKind
  readonly hash: string
}

const FORMER_KEPT = 4 // of an operator: none of them again

/**
 * Gives users new passwords. What was issued to them before ends: whoever knew the old password may
 * hold tokens.
 */
export const setPasswords: Command<PasswordChange, UserRow, HeldUsers> = {
  name: 'set_passwords',
  lock: lockUsersOf,
  run,
}

async function run(
  tx: Tx,
  requests: readonly Asked<PasswordChange>[],
  held: HeldUsers,
): Promise<Outcome<UserRow>[]> {
  const tenantId = tenantOf(requests)
  const found = requests.filter(({ input }) => held.get(input.userId)?.kind === input.kind)
  const last = new Map(found.map((request) => [request.input.userId, request]))
  const stored = await listPasswords(tx, tenantId, [...last.keys()])
  await upsertPasswords(
    tx,
    [...last.values()].map(({ input: { userId, kind, hash }, at }) => {
      const { password_hash: now, former_hashes: former = [] } = stored.get(userId) ?? {}
      const formerHashes = kind === 'operator' && now ? [now, ...former].slice(0, FORMER_KEPT) : []
      return { tenantId, userId, hash, formerHashes, at }
    }),
  )
  const userIds = [...last.keys()].map((id) => publicId('usr', id))
  await deleteSessionsOf(tx, userIds)
  await revokeSubjects(
    tx,
    [...last.values()].map(({ input, at }) => ({
      tenantId,
      userId: publicId('usr', input.userId),
      reason: 'password_changed',
      at,
    })),
  )
  recordAudit(
    tx,
    found.map((request) =>
      actOf(request, {
        action: 'user.set_password',
        resourceKind: 'user',
        resourceId: request.input.userId,
      }),
    ),
  )
  return requests.map((request) => {
    const row = held.get(request.input.userId)
    return row === undefined || !found.includes(request) ? refuse('user_not_found') : accept(row)
  })
}
