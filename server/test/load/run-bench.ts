import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { migrate } from '../../src/platform/db/migrate.ts'
import { publicId } from '../../src/platform/ids.ts'
import { startBenchCluster } from './bench-cluster.ts'
import { startChild } from './child.ts'
import { cpuMicrosOf, cpuMicrosOfTree } from './cpu-time.ts'
import type { Load, Totals, Window } from './load.ts'
import { bookPayment } from './payment-template.ts'
import { seedTenant } from './seed-tenant.ts'

const cases = [
  { name: 'book-64', connections: 64, pick: 'spread' },
  { name: 'book-256', connections: 256, pick: 'spread' },
  { name: 'book-64-hot', connections: 64, pick: 'hot' },
  { name: 'book-256-hot', connections: 256, pick: 'hot' },
] as const

export async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      warmup: { type: 'string', default: '2' },
      accounts: { type: 'string', default: '10000' },
      profile: { type: 'boolean', default: false },
      rate: { type: 'string' },
    },
  })
  const only = values.only?.split(',')
  await using cleanup = new AsyncDisposableStack()
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const cluster = await startBenchCluster()
  cleanup.defer(() => cluster.stop())
  const { directory, connection, postgres } = cluster
  await migrate(connection)
  const started = performance.now()
  const tenant = await seedTenant(connection, Number(values.accounts))
  say(`seeded ${values.accounts} accounts in ${Math.round(performance.now() - started)} ms`)
  const client = new pg.Client(connection)
  await client.connect()
  cleanup.defer(() => client.end())
  await client.query('vacuum analyze')
  await client.query('checkpoint')
  const accountsFile = join(directory, 'accounts')
  writeFileSync(accountsFile, tenant.accountIds.map((id) => publicId('acc', id)).join('\n'))

  const port = await freePort()
  const execArgv = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}/bench-profile`] : []
  const service = await startChild('serve', { directory, execArgv })
  cleanup.defer(() => service.stop())
  await service.ask({
    connection,
    port,
    rootKey: randomBytes(32).toString('base64'),
    gatewayUrl: 'http://127.0.0.1:9',
  })
  const generator = await startChild('generate', { directory })
  cleanup.defer(() => generator.stop())
  const token = await fetchToken(port, tenant)
  for (const one of cases) {
    if (only !== undefined && !only.includes(one.name)) continue
    const load: Load = {
      port,
      connections: one.connections,
      ...(values.rate !== undefined && { rate: Number(values.rate) }),
      request: bookPayment({ port, token, keyPrefix: `${one.name}-` }),
      pick: one.pick,
      accountsFile,
      journalFile: join(directory, `${one.name}.journal`),
    }
    await generator.ask({ kind: 'start', load })
    await sleep(Number(values.warmup) * 1_000)
    const before = await sample()
    await generator.ask({ kind: 'mark' })
    await sleep(Number(values.seconds) * 1_000)
    const window = await generator.ask<Window>({ kind: 'mark' })
    const after = await sample()
    const totals = await generator.ask<Totals>({ kind: 'stop' })
    const per = (key: keyof typeof after) => ((after[key] - before[key]) / window.answered).toFixed(1)
    say(
      `${one.name}: ${Math.round((window.answered / window.elapsedMs) * 1_000)}/s p50 ${window.p50.toFixed(1)} p95 ${window.p95.toFixed(1)} p99 ${window.p99.toFixed(1)} max ${window.max.toFixed(0)} ms; ` +
        `cpu µs pg ${per('pg')} service ${per('service')} generator ${(window.cpuMicros / window.answered).toFixed(1)}; wal ${per('wal')} B; batch ${(window.answered / (after.commits - before.commits)).toFixed(1)}; load ${loadavg()[0]?.toFixed(2)}`,
    )
    say(JSON.stringify(totals))
    if (totals.firstProblem !== null) say(readFileSync(join(directory, 'serve.log'), 'utf8').slice(0, 3_000))
  }

  async function sample() {
    const { rows } = await client.query<{ wal: string; commits: string }>(
      `select pg_current_wal_insert_lsn() - '0/0' as wal, xact_commit as commits
       from pg_stat_database where datname = current_database()`,
    )
    return {
      wal: Number(rows[0]?.wal),
      commits: Number(rows[0]?.commits),
      pg: cpuMicrosOfTree(postgres.postmasterPid()) ?? Number.NaN,
      service: cpuMicrosOf(service.pid) ?? Number.NaN,
    }
  }
}

async function fetchToken(port: number, { clientId, clientSecret }: { clientId: string; clientSecret: string }): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`no token: ${response.status} ${text}`)
  return (JSON.parse(text) as { access_token: string }).access_token
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
