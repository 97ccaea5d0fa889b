import { createTenant, listTenants } from '../../modules/identity/index.ts'
import { openBooks } from '../../modules/ledger/index.ts'
import { systemClock } from '../../platform/clock.ts'
import { type Settings, SettingError } from '../../platform/config/settings.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { newId, publicId } from '../../platform/ids.ts'
import { type Print, withPools } from './operator.ts'

export interface AskedTenant {
  readonly name: string
  readonly mode: 'sandbox' | 'live'
  /** Of its business days, as `Europe/Berlin`. */
  readonly timeZone: string
}

/** A tenant with empty books; its accounts are opened over the API. */
export async function makeTenant(
  { name, mode, timeZone }: AskedTenant,
  settings: Settings,
  print: Print,
): Promise<void> {
  if (timeZone !== 'UTC' && !Intl.supportedValuesOf('timeZone').includes(timeZone)) {
    throw new SettingError('--time-zone', `is "${timeZone}": use a name like Europe/Berlin`)
  }
  const at = systemClock.now()
  const tenantId = newId(at)
  await withPools(settings, ({ money }) =>
    inTransaction(money, async (tx) => {
      await createTenant(tx, { tenantId, name, mode, at })
      await openBooks(tx, { tenantId, timeZone })
    }),
  )
  const id = publicId('ten', tenantId)
  print(settings.json ? JSON.stringify({ tenant_id: id, name, mode }) : id)
}

export async function printTenants(settings: Settings, print: Print): Promise<void> {
  const rows = await withPools(settings, ({ read }) => listTenants(databaseOver(read)))
  for (const { tenant_id: tenantId, name, mode } of rows) {
    const id = publicId('ten', tenantId)
    print(settings.json ? JSON.stringify({ tenant_id: id, name, mode }) : `${id}  ${mode}  ${name}`)
  }
}
