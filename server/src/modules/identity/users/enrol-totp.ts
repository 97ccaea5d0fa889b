import { actOf, recordAudit } from '../../audit/index.ts'
import type { Asked, Command } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { upsertTotpSecrets } from './credential.queries.ts'
import { type HeldUsers, lockUsersOf } from './lock-users.ts'
import { refuse } from './user.errors.ts'
import type { UserKind, UserRow } from './user.queries.ts'

export interface TotpEnrolment {
  readonly userId: string
  readonly kind: UserKind
  readonly sealedSecret: Buffer
}

/** Gives users a second factor, in the place of one that they had. */
export const enrolTotp: Command<TotpEnrolment, UserRow, HeldUsers> = {
  name: 'enrol_totp',
  lock: lockUsersOf,
  run,
}

async function run(
  tx: Tx,
  requests: readonly Asked<TotpEnrolment>[],
  held: HeldUsers,
): Promise<Outcome<UserRow>[]> {
  const outcomes = requests.map(({ input }): Outcome<UserRow> => {
    const row = held.get(input.userId)
    return row?.kind === input.kind ? accept(row) : refuse('user_not_found')
  })
  const found = requests.filter((_request, at) => outcomes[at]?.ok)
  const last = new Map(found.map((request) => [request.input.userId, request]))
  await upsertTotpSecrets(
    tx,
    [...last.values()].map(({ tenantId, input, at }) => {
      const { userId, sealedSecret: sealed } = input
      return { tenantId, userId, sealed, at }
    }),
  )
  recordAudit(
    tx,
    found.map((request) =>
      actOf(request, {
        action: 'user.enrol_totp',
        resourceKind: 'user',
        resourceId: request.input.userId,
      }),
    ),
  )
  return outcomes
}
