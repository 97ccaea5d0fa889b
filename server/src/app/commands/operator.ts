import { listTenants } from '../../modules/identity/index.ts'
import { type Settings, SettingError } from '../../platform/config/settings.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { type Pools, openPools } from '../../platform/db/pools.ts'
import { internalId } from '../../platform/ids.ts'
import { findDatabase } from '../database.ts'
import { schemaMustBeCurrent } from '../schema.ts'

/** Where a command says what it found or made: data on stdout, a line each. */
export type Print = (text: string) => void

/**
 * Lends the pools of the database of DATABASE_URL, or of the one that `start` runs on the data
 * directory: what an operator does at the machine is done on the database itself.
 */
export async function withPools<Result>(
  settings: Settings,
  use: (pools: Pools) => Promise<Result>,
): Promise<Result> {
  const { connection } = await findDatabase(settings)
  await schemaMustBeCurrent(connection)
  const pools = openPools(connection, () => undefined) // a lost connection fails the statement too
  try {
    return await use(pools)
  } finally {
    await pools.close()
  }
}

/** The uuid of the tenant that `--tenant` names. */
export async function tenantOf({ read }: Pools, text: string): Promise<string> {
  const tenantId = internalId('ten', text)
  const tenants = await listTenants(databaseOver(read))
  if (tenantId !== undefined && tenants.some((row) => row.tenant_id === tenantId)) return tenantId
  throw new SettingError('--tenant', `is "${text}": no tenant has this id (tenant list shows them)`)
}
