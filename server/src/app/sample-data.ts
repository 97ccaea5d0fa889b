import type { Sealing } from '../platform/crypto/sealing.ts'
import { databaseOver } from '../platform/db/dialect.ts'
import { type Connection, openPools } from '../platform/db/pools.ts'
import { inTransaction } from '../platform/db/transaction.ts'
import { internalId } from '../platform/ids.ts'
import { listTenants } from '../modules/identity/index.ts'
import {
  type Addresses,
  type Credentials,
  draftCredentials,
  readCredentials,
  writeCredentials,
} from './credentials.ts'
import { isSandbox, seedSandbox } from './seed-sandbox.ts'

export interface SampleData {
  readonly state: 'new' | 'kept' | 'none'
  /** What a person should know or do, one line each. */
  readonly notes: readonly string[]
  readonly credentials: Credentials | undefined
}

export interface SampleOptions {
  readonly connection: Connection
  readonly dataDir: string
  readonly addresses: Addresses
  /** Of this install: the second factors of people are kept under it. */
  readonly sealing: Sealing
  /** False: production, or an issuer that others can reach. Then nothing is made. */
  readonly allowed: boolean
  readonly at: Date
}

/**
 * Gives an empty database its sandbox, once. The file is written first and the database is filled
 * from it in one transaction: killed at any moment, the next start goes on where this one ended,
 * with the same ids and secrets.
 */
export async function ensureSampleData(options: SampleOptions): Promise<SampleData> {
  const { connection, dataDir, addresses, sealing, allowed, at } = options
  const pools = openPools(connection, () => undefined) // a lost connection fails the statement too
  try {
    const tenants = await listTenants(databaseOver(pools.read))
    const file = await readCredentials(dataDir)
    if (tenants.length === 0) {
      if (!allowed) return { state: 'none', notes: NO_TENANT, credentials: undefined }
      const credentials = file ?? draftCredentials(addresses, at)
      if (file === undefined) await writeCredentials(dataDir, credentials)
      await inTransaction(pools.money, (tx) => seedSandbox(tx, credentials, { sealing, at }))
      return { state: 'new', ...(await moved(dataDir, credentials, addresses)) }
    }
    if (file === undefined) {
      const isOurs = tenants.some(isSandbox)
      return { state: 'none', notes: isOurs && allowed ? FILE_GONE : [], credentials: undefined }
    }
    const known = tenants.some(({ tenant_id: id }) => id === internalId('ten', file.tenant_id))
    if (!known) return { state: 'none', notes: OTHER_DATABASE, credentials: undefined }
    return { state: 'kept', ...(await moved(dataDir, file, addresses)) }
  } finally {
    await pools.close()
  }
}

/** The file tells where this start is reached, not the first one. */
async function moved(
  dataDir: string,
  credentials: Credentials,
  { baseUrl, gatewayUrl }: Addresses,
): Promise<Pick<SampleData, 'credentials' | 'notes'>> {
  if (credentials.base_url === baseUrl && credentials.gateway.base_url === gatewayUrl) {
    return { credentials, notes: [] }
  }
  const current = { ...credentials, base_url: baseUrl, gateway: { base_url: gatewayUrl } }
  await writeCredentials(dataDir, current)
  const notes =
    credentials.base_url === baseUrl
      ? []
      : [`The issuer is now ${baseUrl}: tokens of ${credentials.base_url} are no longer accepted.`]
  return { credentials: current, notes }
}

const NO_TENANT = [
  'There is no tenant yet. Make one:  countinghouse tenant create NAME --mode live',
  'and a client of it:  countinghouse client create NAME --tenant ten_… --scope "payments:read payments:write"',
]
const FILE_GONE = [
  'credentials.json is gone, and secrets cannot be read back. Run: countinghouse client roll --all',
]
const OTHER_DATABASE = [
  'credentials.json belongs to another database: its tenant is not in this one. Move the file away.',
]
