import type { Sealing } from '../../../platform/crypto/sealing.ts'
import { newId } from '../../../platform/ids.ts'
import type { NewUser } from './create-users.ts'
import { hashPassword } from './password-hash.ts'
import { totpContext } from './totp-context.ts'
import { fromBase32 } from './totp.ts'
import type { UserKind } from './user.queries.ts'
import { normalUsername } from './username.ts'

export interface AskedUser {
  readonly tenantId: string
  readonly kind: UserKind
  readonly username: string
  readonly displayName: string
  readonly password: string
  /** Base32, for an authenticator app. Default: no second factor. */
  readonly totpSecret?: string | undefined
  /** Default: a new one. */
  readonly partyId?: string | undefined
  /** Of an operator. */
  readonly roles?: readonly string[]
  readonly at: Date
}

/** What takes long or needs keys, before the transaction: the password hashed, the secret sealed. */
export async function prepareUser(asked: AskedUser, sealing: Sealing): Promise<NewUser> {
  const { tenantId, kind, displayName, password, totpSecret, roles = [], at } = asked
  const userId = newId(at)
  return {
    userId,
    kind,
    username: normalUsername(asked.username),
    partyId: asked.partyId ?? newId(at),
    displayName,
    roles,
    passwordHash: await hashPassword(password),
    sealedTotpSecret:
      totpSecret === undefined
        ? undefined
        : sealing.seal(fromBase32(totpSecret), totpContext(tenantId, userId)),
  }
}
