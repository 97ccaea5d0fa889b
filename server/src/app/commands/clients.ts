import { createClient, isScope, listClients } from '../../modules/identity/index.ts'
import { systemClock } from '../../platform/clock.ts'
import { type Settings, SettingError } from '../../platform/config/settings.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { type Print, tenantOf, withPools } from './operator.ts'

export interface AskedClient {
  readonly name: string
  /** `ten_…` */
  readonly tenant: string
  /** Separated by spaces. */
  readonly scope: string
}

/** A client that acts for itself, with a secret that is shown this once. */
export async function makeClient(
  { name, tenant, scope }: AskedClient,
  settings: Settings,
  print: Print,
): Promise<void> {
  const scopes = scope.split(' ').filter((one) => one !== '')
  const unknown = scopes.filter((one) => !isScope(one))
  if (scopes.length === 0) throw new SettingError('--scope', 'is empty: name one at least')
  if (unknown.length > 0) {
    throw new SettingError('--scope', `names the unknown ${unknown.join(' ')}`)
  }
  const { clientId, clientSecret } = await withPools(settings, async (pools) => {
    const tenantId = await tenantOf(pools, tenant)
    return await inTransaction(pools.money, (tx) =>
      createClient(tx, {
        tenantId,
        name,
        kind: 'service',
        grantTypes: ['client_credentials'],
        scope: scopes.join(' '),
        authMethod: 'client_secret_basic',
        at: systemClock.now(),
      }),
    )
  })
  const made = { client_id: clientId, client_secret: clientSecret }
  const text = `client_id      ${clientId}\nclient_secret  ${clientSecret}`
  print(settings.json ? JSON.stringify(made) : text)
}

export async function printClients(
  tenant: string,
  settings: Settings,
  print: Print,
): Promise<void> {
  const rows = await withPools(settings, async (pools) =>
    listClients(databaseOver(pools.read), await tenantOf(pools, tenant)),
  )
  for (const { client_id: id, name, kind, status, scope } of rows) {
    const text = `${id}  ${status}  ${kind}  ${name}`
    print(settings.json ? JSON.stringify({ client_id: id, name, kind, status, scope }) : text)
  }
}
