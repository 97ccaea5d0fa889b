import { replaceSigningKeys, rotateSigningKeys } from '../../modules/identity/index.ts'
import { systemClock } from '../../platform/clock.ts'
import type { Settings } from '../../platform/config/settings.ts'
import { sealingOf } from '../../platform/crypto/local-keys.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { type Print, withPools } from './operator.ts'

/** The next key for access tokens: in an hour, or at once with the end of every live token. */
export async function rotateKeys(now: boolean, settings: Settings, print: Print): Promise<void> {
  const sealing = await sealingOf(settings)
  const rotate = now ? replaceSigningKeys : rotateSigningKeys
  const { kid, signsFrom } = await withPools(settings, (pools) =>
    inTransaction(pools.money, (tx) => rotate(tx, sealing, systemClock.now())),
  )
  const signs_from = signsFrom.toISOString()
  const words = now ? 'signs now; every token from before is refused' : `signs from ${signs_from}`
  print(settings.json ? JSON.stringify({ kid, signs_from }) : `The key ${kid} ${words}.`)
}
