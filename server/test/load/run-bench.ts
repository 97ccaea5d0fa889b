import { writeFileSync } from 'node:fs'
import { readdir, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { migrate } from '../../src/platform/db/migrate.ts'
import { publicId } from '../../src/platform/ids.ts'
import { type BenchCluster, startBenchCluster } from './bench-cluster.ts'
import { startBenchService } from './bench-service.ts'
import { checkBooks } from './check-books.ts'
import { type Span, summariseProfile } from './cpu-profile.ts'
import { environmentOf, load } from './environment.ts'
import { type Options, readOptions } from './options.ts'
import { type PgBench, findPgBench } from './pgbench.ts'
import { type Report, reportText } from './report.ts'
import { type Ground, runRounds } from './run-rounds.ts'
import { seedTenant } from './seed-tenant.ts'
import { barsOf, standingsOf } from './standings.ts'

/** Exit codes: 0; 1 when a promise was broken, when a bar was missed under --strict, or on a failure; 2 on a wrong flag. */
export async function run(): Promise<void> {
  let options: Options
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 2
    return
  }
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)))
  }
  try {
    const report = await bench(options, stopped.signal)
    const missed = report.bars.some(({ met }) => met === false)
    process.exitCode = !report.valid || (missed && options.strict) ? 1 : 0
  } catch (error) {
    const told = error instanceof Error ? error.stack : String(error)
    const reason = stopped.signal.aborted ? (stopped.signal.reason as Error).message : told
    process.stderr.write(`${reason}\n`)
    process.exitCode = 1
  }
}

const ROOT = `${resolve(import.meta.dirname, '../../..')}/`
const CLIENTS = 4 // one may hold 20 answers back, and card payments hold 64

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function bench(options: Options, signal: AbortSignal): Promise<Report> {
  const loadBefore = load()
  await using cleanup = new AsyncDisposableStack()
  const cluster = await startBenchCluster()
  cleanup.defer(() => cluster.stop())
  const pgbench = await preparePgBench(cluster, options, signal)
  await migrate(cluster.connection)
  say(`seeding ${options.accounts} accounts`)
  const tenant = await seedTenant(cluster.connection, {
    accounts: options.accounts,
    clients: CLIENTS,
  })
  signal.throwIfAborted()
  const client = new pg.Client(cluster.connection)
  client.on('error', () => undefined)
  await client.connect()
  cleanup.defer(() => client.end())
  await client.query('vacuum analyze')
  await client.query('checkpoint')
  const accountsFile = join(cluster.directory, 'accounts')
  writeFileSync(accountsFile, tenant.accountIds.map((id) => publicId('acc', id)).join('\n'))

  const profiles = options.cpuProfile ? join(options.out, 'bench-profile') : undefined
  const before = profiles === undefined ? [] : await listProfiles(profiles)
  const service = await startBenchService(cluster, profiles)
  cleanup.defer(() => service.stop())
  const environment = await environmentOf(client, { pgbench: pgbench?.version, loadBefore })
  const ground: Ground = { cluster, client, tenant, accountsFile, service, pgbench, signal, say }
  const { measurements, loads, spans } = await runRounds(options, ground)
  const { tenantId } = tenant
  const { gatewayPort } = service
  const verdicts = await checkBooks({ client, tenantId, gatewayPort, loads })
  const standings = standingsOf(options.cases, measurements)
  const { cases: _, ...settings } = options
  const report: Report = {
    environment,
    loadAfter: load(),
    options: settings,
    standings,
    bars: barsOf(standings, measurements),
    verdicts,
    valid: verdicts.every(({ violations }) => violations === 0),
    measurements,
  }
  await mkdir(options.out, { recursive: true })
  writeFileSync(join(options.out, 'bench-report.json'), `${JSON.stringify(report, null, 2)}\n`)
  say(`\n${reportText(report)}`)
  if (profiles !== undefined) {
    await service.stop() // which writes the profile
    await printProfile(profiles, before, spans)
  }
  return report
}

async function preparePgBench(
  cluster: BenchCluster,
  { cases }: Options,
  signal: AbortSignal,
): Promise<PgBench | undefined> {
  if (cases.every(({ kind }) => kind !== 'pgbench')) return undefined
  const found = await findPgBench(cluster.connectionTo('pgbench'), signal)
  if (found === undefined) return undefined
  say(`making the tables of ${found.version}`)
  const client = new pg.Client(cluster.connectionTo('postgres'))
  await client.connect()
  await client.query('create database pgbench')
  await client.end()
  await found.initialise()
  return found
}

async function listProfiles(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true })
  return (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'))
}

async function printProfile(
  directory: string,
  before: readonly string[],
  spans: readonly Span[],
): Promise<void> {
  const fresh = (await listProfiles(directory)).filter((name) => !before.includes(name))
  for (const name of fresh) {
    const path = join(directory, name)
    say(`\n${path}\n${summariseProfile(path, spans, ROOT)}`)
  }
}
