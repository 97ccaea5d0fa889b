import { join } from 'node:path'
import {
  listClients,
  listTenants,
  renewSecrets,
  rotateClientSecret,
} from '../../modules/identity/index.ts'
import { findAccountsByKey } from '../../modules/ledger/index.ts'
import { systemClock } from '../../platform/clock.ts'
import type { Settings } from '../../platform/config/settings.ts'
import { sealingOf } from '../../platform/crypto/local-keys.ts'
import type { Sealing } from '../../platform/crypto/sealing.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'
import { publicId } from '../../platform/ids.ts'
import { StartError } from '../../platform/start-error.ts'
import {
  CREDENTIALS_FILE,
  type Credentials,
  SAMPLE_OPERATORS,
  readCredentials,
  writeCredentials,
} from '../credentials.ts'
import { gatewayUrl } from '../ports.ts'
import { SAMPLE_ACCOUNT_KEYS, isSandbox } from '../seed-sandbox.ts'
import { type Print, withPools } from './operator.ts'

/**
 * Gives the clients of the sample data new secrets, ends the old ones, and writes the credentials
 * file from what the database knows: the way back when the file is lost. Then its people get new
 * passwords too; those that the file still names are left alone.
 */
export async function rollSampleClients(settings: Settings, print: Print): Promise<void> {
  const { dataDir, issuer } = settings
  const file = await readCredentials(dataDir)
  const sealing = await sealingOf(settings)
  const fresh = await withPools(settings, async ({ read, money }) => {
    const sandbox = (await listTenants(databaseOver(read))).find(isSandbox)
    if (sandbox === undefined) throw new StartError('This database holds no sample data.')
    const { tenant_id: tenantId } = sandbox
    return await inTransaction(money, async (tx) => {
      const rows = await rolled(tx, tenantId)
      if ((file?.customers ?? []).length > 0) return rows
      return { ...rows, ...(await samplePeople(tx, tenantId, rows.accounts, sealing)) }
    })
  })
  const { tenant_id, clients, accounts, ...people } = fresh
  await writeCredentials(dataDir, {
    base_url: issuer,
    tenant_id,
    clients,
    customers: file?.customers ?? [],
    operators: file?.operators ?? [],
    ...people,
    accounts,
    gateway: { base_url: gatewayUrl(settings) },
  })
  print(`New secrets are in ${join(dataDir, CREDENTIALS_FILE)}.`)
}

/** The people of the sample data, as the file names them, with passwords that are new. */
async function samplePeople(
  tx: Tx,
  tenantId: string,
  { customer_a: a, customer_b: b }: Credentials['accounts'],
  sealing: Sealing,
): Promise<Pick<Credentials, 'customers' | 'operators'>> {
  const accounts: Readonly<Record<string, string>> = { customer_a: a, customer_b: b }
  const usernames = [...Object.keys(accounts), ...SAMPLE_OPERATORS]
  const people = await renewSecrets(tx, { tenantId, usernames, at: systemClock.now() }, sealing)
  return {
    customers: people.flatMap(({ user: { username }, password }) => {
      const account = accounts[username]
      return account === undefined ? [] : [{ username, password, account_ids: [account] }]
    }),
    operators: people.flatMap(({ user: { kind, username, roles }, password, totpSecret = '' }) =>
      kind === 'operator' ? [{ username, password, totp_secret: totpSecret, roles }] : [],
    ),
  }
}

type Fresh = Pick<Credentials, 'tenant_id' | 'clients' | 'accounts'>

async function rolled(tx: Tx, tenantId: string): Promise<Fresh> {
  const clients = await listClients(tx, tenantId)
  const named = async (name: string) => {
    const row = clients.find((client) => client.name === name)
    if (row === undefined) throw new StartError(`The sample data lacks its client ${name}.`)
    const { client_id: clientId, scope, redirect_uris } = row
    const { clientSecret } = await rotateClientSecret(tx, { tenantId, clientId, endOld: true })
    return { client_id: clientId, client_secret: clientSecret, scope, redirect_uris }
  }
  const { redirect_uris: _backoffice, ...backoffice } = await named('backoffice')
  const { redirect_uris: _approver, ...approver } = await named('approver')
  const { scope: _app, ...app } = await named('app')
  const rows = await findAccountsByKey(
    tx,
    Object.values(SAMPLE_ACCOUNT_KEYS).map((key) => ({ tenantId, key })),
  )
  const accountOf = (key: string) => {
    const row = rows.find((found) => found.key === key)
    if (row === undefined) throw new StartError(`The sample data lacks its account ${key}.`)
    return publicId('acc', row.account_id)
  }
  return {
    tenant_id: publicId('ten', tenantId),
    clients: { backoffice, approver, app },
    accounts: {
      operating: accountOf(SAMPLE_ACCOUNT_KEYS.operating),
      customer_a: accountOf(SAMPLE_ACCOUNT_KEYS.customer_a),
      customer_b: accountOf(SAMPLE_ACCOUNT_KEYS.customer_b),
    },
  }
}
