import { actOf, recordAudit } from '../../audit/index.ts'
import { type Asked, type Command, tenantOf } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { publicId } from '../../../platform/ids.ts'
import { type HeldUsers, lockUsersOf } from '../users/lock-users.ts'
import { refuse } from '../users/user.errors.ts'
import type { UserKind } from '../users/user.queries.ts'
import { type NamedPasskey, deletePasskeys } from './passkey.queries.ts'

export interface PasskeyRemoval extends NamedPasskey {
  readonly kind: UserKind
}

/** Ends passkeys: nobody signs in by them any more. What was issued before lives on. */
export const removePasskeys: Command<PasskeyRemoval, NamedPasskey, HeldUsers> = {
  name: 'remove_passkeys',
  lock: lockUsersOf,
  run,
}

async function run(
  tx: Tx,
  requests: readonly Asked<PasskeyRemoval>[],
  held: HeldUsers,
): Promise<Outcome<NamedPasskey>[]> {
  const known = requests.filter(({ input }) => held.get(input.userId)?.kind === input.kind)
  const inputs = known.map(({ input }) => input)
  const gone = new Set((await deletePasskeys(tx, tenantOf(requests), inputs)).map(keyOf))
  // Of two who name the same one the first removes it: `delete` is true once.
  const removed = new Set(known.filter(({ input }) => gone.delete(keyOf(input))))
  recordAudit(tx, [...removed].map(actOfRemoval))
  return requests.map((request) => {
    if (removed.has(request)) return accept(request.input)
    return known.includes(request) ? refuse('passkey_not_found') : refuse('user_not_found')
  })
}

function keyOf({ userId, passkeyId }: NamedPasskey): string {
  return `${userId} ${passkeyId}`
}

function actOfRemoval(request: Asked<PasskeyRemoval>) {
  const { userId, passkeyId } = request.input
  return actOf(request, {
    action: 'user.remove_passkey',
    resourceKind: 'user',
    resourceId: userId,
    detail: { passkey: publicId('psk', passkeyId) },
  })
}
