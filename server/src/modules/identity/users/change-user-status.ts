import { actOf, recordAudit } from '../../audit/index.ts'
import { type Asked, type Command, tenantOf } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { publicId } from '../../../platform/ids.ts'
import { type Consents, endAccess } from '../end-access.ts'
import { revokeSubjects } from '../revoke-tokens.ts'
import { type HeldUsers, lockUsersOf } from './lock-users.ts'
import { refuse } from './user.errors.ts'
import { type UserKind, type UserRow, type UserStatus, updateStatuses } from './user.queries.ts'

export interface StatusChange {
  readonly userId: string
  readonly kind: UserKind
  readonly status: UserStatus
}

/**
 * Lets users in again or keeps them out. Kept out, their tokens are refused within a second, and
 * their consents, refresh tokens and sessions end in the same transaction; let in again, they begin
 * with none. Done again it changes nothing.
 */
export function changeUserStatus(consents: Consents): Command<StatusChange, UserRow, HeldUsers> {
  return {
    name: 'change_user_status',
    lock: lockUsersOf,
    run: (tx, requests, held) => run(tx, requests, held, consents),
  }
}

async function run(
  tx: Tx,
  requests: readonly Asked<StatusChange>[],
  held: HeldUsers,
  consents: Consents,
): Promise<Outcome<UserRow>[]> {
  const changed = new Set<Asked<StatusChange>>()
  const outcomes = requests.map((request): Outcome<UserRow> => {
    const { userId, kind, status } = request.input
    const row = held.get(userId)
    if (row?.kind !== kind) return refuse('user_not_found')
    if (row.status !== status) {
      row.status = status
      row.version += 1
      row.updated_at = request.at
      changed.add(request)
    }
    return accept(row)
  })
  const rows = new Set([...changed].flatMap(({ input }) => held.get(input.userId) ?? []))
  await updateStatuses(tx, tenantOf(requests), [...rows])
  // Letting in ends again what a page that was open in that moment may have left behind.
  const ended = [...changed].map(endOf)
  await endAccess(tx, tenantOf(requests), ended, consents)
  await revokeSubjects(
    tx,
    ended.filter(({ reason }) => reason === 'user_disabled'),
  )
  recordAudit(
    tx,
    [...changed].map((request) =>
      actOf(request, {
        action: request.input.status === 'disabled' ? 'user.disable' : 'user.enable',
        resourceKind: 'user',
        resourceId: request.input.userId,
      }),
    ),
  )
  return outcomes
}

function endOf({ tenantId, input: { userId, status }, at }: Asked<StatusChange>) {
  const reason = status === 'disabled' ? 'user_disabled' : 'user_enabled'
  return { tenantId, userId: publicId('usr', userId), reason, at }
}
