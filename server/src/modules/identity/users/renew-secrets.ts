import { systemActor } from '../../../platform/actor.ts'
import type { Sealing } from '../../../platform/crypto/sealing.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { newId, publicId } from '../../../platform/ids.ts'
import { listCredentials } from './credential.queries.ts'
import { newPassword } from './new-password.ts'
import { hashPassword } from './password-hash.ts'
import { setPasswords } from './set-passwords.ts'
import { totpContext } from './totp-context.ts'
import { toBase32 } from './totp.ts'
import { type UserRow, findUserByName } from './user.queries.ts'

/** What somebody signs in with. */
export interface RenewedUser {
  readonly user: UserRow
  readonly password: string
  /** Base32, for an authenticator app, as it was enrolled. */
  readonly totpSecret?: string
}

/**
 * Gives these people of a tenant new passwords, since nobody can read back the old ones, and tells
 * the secrets of their second factors, which stay. A name that nobody has is left out.
 */
export async function renewSecrets(
  tx: Tx,
  asked: { readonly tenantId: string; readonly usernames: readonly string[]; readonly at: Date },
  sealing: Sealing,
): Promise<RenewedUser[]> {
  const { tenantId, usernames, at } = asked
  const actor = systemActor('operator', tenantId)
  const requestId = publicId('req', newId(at))
  const renewed: RenewedUser[] = []
  for (const username of usernames) {
    const user = await findUserByName(tx, tenantId, username)
    if (user === undefined) continue
    const { user_id: userId, kind } = user
    const password = newPassword()
    const input = { userId, kind, hash: await hashPassword(password) }
    await setPasswords.run(
      tx,
      [{ tenantId, actor, requestId, at, input }],
      new Map([[userId, user]]),
    )
    const factors = await listCredentials(tx, tenantId, userId)
    const sealed = factors.find((factor) => factor.kind === 'totp')?.sealed_secret ?? null
    renewed.push({
      user,
      password,
      ...(sealed !== null && {
        totpSecret: toBase32(sealing.open(sealed, totpContext(tenantId, userId))),
      }),
    })
  }
  return renewed
}
