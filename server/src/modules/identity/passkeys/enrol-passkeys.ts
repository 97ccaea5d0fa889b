import { actOf, recordAudit } from '../../audit/index.ts'
import { type Asked, type Command, tenantOf } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { publicId } from '../../../platform/ids.ts'
import { type HeldUsers, lockUsersOf } from '../users/lock-users.ts'
import { refuse } from '../users/user.errors.ts'
import type { MadeKey } from './passkey-response.ts'
import { type PasskeyRow, insertPasskeys, listPasskeys } from './passkey.queries.ts'

export interface PasskeyEnrolment {
  readonly userId: string
  readonly passkeyId: string
  readonly key: MadeKey
  /** As its owner calls it. */
  readonly name: string
}

export const MAX_PASSKEYS = 10 // of one person: a phone, a laptop, two security keys, and some more

/** Gives users one more way to sign in. A key that somebody of the tenant has is turned down. */
export const enrolPasskeys: Command<PasskeyEnrolment, PasskeyRow, HeldUsers> = {
  name: 'enrol_passkeys',
  lock: lockUsersOf,
  run,
}

async function run(
  tx: Tx,
  requests: readonly Asked<PasskeyEnrolment>[],
  held: HeldUsers,
): Promise<Outcome<PasskeyRow>[]> {
  const counts = await countsOf(tx, tenantOf(requests), [...held.keys()])
  const seen = new Set<string>()
  const judged = requests.map((request): Outcome<PasskeyRow> => {
    const { userId, key } = request.input
    if (held.get(userId)?.status !== 'active') return refuse('user_not_found')
    const count = counts.get(userId) ?? 0
    if (count >= MAX_PASSKEYS) return refuse('passkey_limit_reached', { limit: MAX_PASSKEYS })
    const credentialId = key.credentialId.toString('hex')
    if (seen.has(credentialId)) return refuse('passkey_enrolled')
    seen.add(credentialId)
    counts.set(userId, count + 1)
    return accept(rowOf(request))
  })
  const rows = judged.flatMap((outcome) => (outcome.ok ? [outcome.value] : []))
  const written = await insertPasskeys(tx, rows)
  recordAudit(tx, requests.filter(({ input }) => written.has(input.passkeyId)).map(actOfEnrolment))
  return judged.map((outcome) =>
    outcome.ok && !written.has(outcome.value.passkey_id) ? refuse('passkey_enrolled') : outcome,
  )
}

async function countsOf(
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { user_id: userId } of await listPasskeys(tx, tenantId, userIds)) {
    counts.set(userId, (counts.get(userId) ?? 0) + 1)
  }
  return counts
}

function rowOf({ tenantId, at, input }: Asked<PasskeyEnrolment>): PasskeyRow {
  const { userId, passkeyId, key, name } = input
  return {
    tenant_id: tenantId,
    user_id: userId,
    passkey_id: passkeyId,
    rp_id: key.rpId,
    credential_id: key.credentialId,
    public_key: key.publicKey,
    sign_count: BigInt(key.count),
    is_synced: key.isSynced,
    transports: [...key.transports],
    name,
    created_at: at,
    last_used_at: null,
  }
}

function actOfEnrolment(request: Asked<PasskeyEnrolment>) {
  const { userId, passkeyId, key } = request.input
  return actOf(request, {
    action: 'user.enrol_passkey',
    resourceKind: 'user',
    resourceId: userId,
    detail: { passkey: publicId('psk', passkeyId), synced: key.isSynced },
  })
}
