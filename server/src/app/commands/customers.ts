import {
  createUsers,
  isUsername,
  newPassword,
  newTotpSecret,
  prepareUser,
  toBase32,
} from '../../modules/identity/index.ts'
import { systemActor } from '../../platform/actor.ts'
import { systemClock } from '../../platform/clock.ts'
import { type Settings, SettingError } from '../../platform/config/settings.ts'
import { sealingOf } from '../../platform/crypto/local-keys.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { newId, publicId } from '../../platform/ids.ts'
import { type Print, tenantOf, withPools } from './operator.ts'

export interface AskedCustomer {
  readonly username: string
  /** `ten_…` */
  readonly tenant: string
  /** Default: the user name. */
  readonly name: string | undefined
  /** Enrols one-time codes as a second factor. */
  readonly totp: boolean
}

/** A customer who can sign in, with secrets that are shown this once. */
export async function makeCustomer(
  { username, tenant, name = username, totp }: AskedCustomer,
  settings: Settings,
  print: Print,
): Promise<void> {
  if (!isUsername(username)) {
    throw new SettingError(`"${username}"`, 'is no user name: 3 to 64 of a-z, 0-9 and ._@+-')
  }
  const password = newPassword()
  const totpSecret = totp ? toBase32(newTotpSecret()) : undefined
  const sealing = await sealingOf(settings)
  const user = await withPools(settings, async (pools) => {
    const tenantId = await tenantOf(pools, tenant)
    const at = systemClock.now()
    const input = await prepareUser(
      { tenantId, kind: 'customer', username, displayName: name, password, totpSecret, at },
      sealing,
    )
    const actor = systemActor('operator', tenantId)
    const asked = { tenantId, actor, requestId: publicId('req', newId(at)), at, input }
    const [outcome] = await inTransaction(pools.money, (tx) =>
      createUsers.run(tx, [asked], undefined),
    )
    if (outcome?.ok !== true) throw new SettingError(`"${username}"`, 'is the name of another user')
    return outcome.value
  })
  const made = {
    user_id: publicId('usr', user.user_id),
    party_id: publicId('prt', user.party_id),
    username: user.username,
    password,
    ...(totpSecret !== undefined && { totp_secret: totpSecret }),
  }
  const lines = Object.entries(made).map(([field, value]) => `${field.padEnd(13)}${value}`)
  print(settings.json ? JSON.stringify(made) : lines.join('\n'))
}
