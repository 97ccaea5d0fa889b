import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { migrateAll } from '../../src/app/schema.ts'
import { publicId } from '../../src/platform/ids.ts'
import { type BenchCluster, startBenchCluster } from './bench-cluster.ts'
import { type BenchService, startBenchService } from './bench-service.ts'
import type { Options } from './options.ts'
import { type PgBench, findPgBench } from './pgbench.ts'
import { type SeededTenant, seedTenant } from './seed-tenant.ts'

/** What all cases stand on. */
export interface Ground {
  readonly cluster: BenchCluster
  /** A connection of the bench itself, as owner of the tables. */
  readonly client: pg.Client
  readonly tenant: SeededTenant
  /** The public ids of the tenant's accounts, one a line. */
  readonly accountsFile: string
  readonly service: BenchService
  /** Undefined where it is not installed or not asked for. */
  readonly pgbench: PgBench | undefined
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface Preparing {
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  /** Where the service is to leave its CPU profile, if it is profiled. */
  readonly cpuProfiles: string | undefined
  /** Ends everything that was started, also when the preparation itself fails. */
  readonly cleanup: AsyncDisposableStack
}

const CLIENTS = 4 // one may hold 20 answers back, and the card case holds 64

export async function prepareGround(options: Options, preparing: Preparing): Promise<Ground> {
  const { signal, say, cpuProfiles, cleanup } = preparing
  const cluster = await startBenchCluster()
  cleanup.defer(() => cluster.stop())
  const isCompared = options.cases.some(({ kind }) => kind === 'pgbench')
  const pgbench = isCompared ? await preparePgBench(cluster, { signal, say }) : undefined
  await migrateAll(cluster.connection)
  say(`seeding ${options.accounts} accounts`)
  const { accounts } = options
  const tenant = await seedTenant(cluster.connection, { accounts, clients: CLIENTS, signal })
  const client = new pg.Client(cluster.connection)
  client.on('error', () => undefined) // the query in flight rejects with the same error
  await client.connect()
  cleanup.defer(() => client.end())
  await client.query('vacuum analyze')
  await client.query('checkpoint')
  const accountsFile = join(cluster.directory, 'accounts')
  writeFileSync(accountsFile, tenant.accountIds.map((id) => publicId('acc', id)).join('\n'))
  const service = await startBenchService(cluster, { signal, cpuProfiles })
  cleanup.defer(() => service.stop())
  return { cluster, client, tenant, accountsFile, service, pgbench, signal, say }
}

async function preparePgBench(
  cluster: BenchCluster,
  { signal, say }: Pick<Preparing, 'signal' | 'say'>,
): Promise<PgBench | undefined> {
  const found = await findPgBench(cluster.connectionTo('pgbench'), signal)
  if (found === undefined) return undefined
  say(`making the tables of ${found.version}`)
  const client = new pg.Client(cluster.connectionTo('postgres'))
  await client.connect()
  try {
    await client.query('create database pgbench')
  } finally {
    await client.end()
  }
  await found.initialise()
  return found
}
