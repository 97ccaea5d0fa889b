import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetchToken } from './bench-service.ts'
import type { Case } from './cases.ts'
import type { RanLoad } from './check-books.ts'
import { type Child, startChild } from './child.ts'
import type { Span } from './cpu-profile.ts'
import { runGuard } from './guard-load.ts'
import type { HttpLoad, RequestTemplate, Specimen, Totals } from './load.ts'
import { type Measurement, type Times, costs, drive } from './measure.ts'
import { type Meter, createMeter, difference } from './meter.ts'
import type { Options } from './options.ts'
import type { Ground } from './prepare-ground.ts'
import {
  type Target,
  bookPayment,
  cardPayment,
  tokenRequest,
  transferBatch,
} from './request-templates.ts'
import type { SeededTenant } from './seed-tenant.ts'
import { takeSpecimen } from './specimen.ts'

export interface Rounds {
  readonly measurements: readonly Measurement[]
  readonly loads: readonly RanLoad[]
  /** When the service was at work, for its profile. */
  readonly spans: readonly Span[]
}

/** Runs every case in every round: neighbours in time see the same machine. */
export async function runRounds(options: Options, ground: Ground): Promise<Rounds> {
  await using cleanup = new AsyncDisposableStack()
  const { client, cluster, service, tenant, signal } = ground
  const { directory, postgres } = cluster
  const generator = startChild('generate', { directory, signal })
  cleanup.defer(() => generator.stop())
  const naive = startChild('naive', { directory, signal })
  cleanup.defer(() => naive.stop())
  const token = await fetchToken(service.port, tenant.clients[0] as SeededTenant['clients'][number])
  const specimen = await takeSpecimen({ port: service.port, token, client }, tenant)
  const meter = createMeter({
    client,
    postmasterPid: () => postgres.postmasterPid(),
    servicePid: service.service.pid,
    gatewayPid: service.gatewayPid,
  })
  const measurements: Measurement[] = []
  const loads: RanLoad[] = []
  const spans: Span[] = []
  const stage: Stage = {
    ...ground,
    generator,
    naive,
    specimen,
    meter,
    options,
    loads,
    measurements,
  }
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const one of options.cases) {
      const from = monotonicMicros()
      const measured = await measureCase(one, round, stage)
      if (!WITHOUT_SERVICE.has(one.kind)) spans.push([from, monotonicMicros()])
      if (measured === undefined) continue
      measurements.push(measured)
      ground.say(progressOf(measured))
    }
  }
  return { measurements, loads, spans }
}

const WITHOUT_SERVICE: ReadonlySet<Case['kind']> = new Set(['naive', 'pgbench', 'guard'])

interface Stage extends Ground {
  readonly generator: Child
  readonly naive: Child
  readonly specimen: Specimen
  readonly meter: Meter
  readonly options: Options
  readonly loads: RanLoad[]
  readonly measurements: readonly Measurement[]
}

async function measureCase(
  one: Case,
  round: number,
  stage: Stage,
): Promise<Measurement | undefined> {
  const { options, signal } = stage
  const [first, later] = options.warmUpSeconds
  const times: Times = {
    warmUpMs: (round === 1 ? first : later) * 1_000,
    measureMs: options.seconds * 1_000,
    signal,
  }
  if (one.kind === 'pgbench') return runPgBench(one, round, { stage, times })
  if (one.kind === 'guard') return runGuardCase(one, round, times)
  return runLoad(one, round, { stage, times })
}

type LoadCase = Exclude<Case, { kind: 'pgbench' | 'guard' }>
type PostingCase = Exclude<LoadCase, { kind: 'naive' | 'token' }>

async function runLoad(
  one: LoadCase,
  round: number,
  { stage, times }: { stage: Stage; times: Times },
): Promise<Measurement> {
  const { accountsFile, cluster, naive, generator, meter } = stage
  const keyPrefix = `${one.name}-${round}-`
  const journalFile = join(cluster.directory, `${keyPrefix}journal`)
  const items = one.kind === 'bulk' ? one.items : undefined
  const { connections } = one
  const { window, totals, used } = await drive(
    one.kind === 'naive' ? naive : generator,
    one.kind === 'naive'
      ? {
          kind: 'naive',
          connection: cluster.connection,
          connections,
          pick: one.pick,
          keyPrefix,
          specimen: stage.specimen,
          accountsFile,
          journalFile,
        }
      : await httpLoad(one, { keyPrefix, journalFile, round, stage }),
    { meter, times },
  )
  // A token is no row: what can be held against it is that every request got one.
  if (one.kind === 'token') assertAllIssued(totals)
  else stage.loads.push({ keyPrefix, journalFile, totals, ...(items !== undefined && { items }) })
  if (totals.firstProblem !== null) stage.say(`${one.name}: ${totals.firstProblem}`)
  const units =
    one.kind === 'card'
      ? await completedBetween(stage, window.from, window.to)
      : window.answered * (items ?? 1)
  return {
    case: one.name,
    round,
    unitsPerSecond: (units / (window.to - window.from)) * 1_000,
    units,
    latency: window.latency,
    ...costs(used, units, window.cpuMicros),
    totals,
  }
}

function assertAllIssued({ statuses, lost, firstProblem }: Totals): void {
  const others = Object.keys(statuses).filter((status) => status !== '200')
  if (others.length === 0 && lost === 0) return
  throw new Error(`not every request got a token: ${firstProblem ?? others.join()}`)
}

async function httpLoad(
  one: Exclude<LoadCase, { kind: 'naive' }>,
  {
    keyPrefix,
    journalFile,
    round,
    stage,
  }: { keyPrefix: string; journalFile: string; round: number; stage: Stage },
): Promise<HttpLoad> {
  const { service, tenant, accountsFile } = stage
  const { port } = service
  if (one.kind === 'token') {
    const requests = tenant.clients.map(({ clientId, clientSecret }) => {
      const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
      return tokenRequest({ port, keyPrefix, basic })
    })
    const { connections } = one
    return { kind: 'http', port, connections, requests, pick: 'spread', accountsFile, journalFile }
  }
  // Only held answers need more than one client: one may hold but a few.
  const clients = one.kind === 'card' ? tenant.clients : tenant.clients.slice(0, 1)
  const requests = await Promise.all(
    clients.map(async (client) => {
      const token = await fetchToken(service.port, client)
      return requestOf(one, { port: service.port, token, keyPrefix })
    }),
  )
  const rate = rateOf(one, round, stage)
  return {
    kind: 'http',
    port: service.port,
    connections: one.connections,
    ...(rate !== undefined && { rate }),
    requests,
    pick: one.kind === 'card' ? 'spread' : one.pick,
    accountsFile,
    journalFile,
  }
}

function requestOf(one: PostingCase, target: Target): RequestTemplate {
  switch (one.kind) {
    case 'book':
      return bookPayment(target)
    case 'card':
      return cardPayment(target)
    case 'bulk':
      return transferBatch(target, one.items)
  }
}

const UNKNOWN_RATE = 500

function rateOf(one: LoadCase, round: number, stage: Stage): number | undefined {
  if (one.kind !== 'book') return undefined
  const { rate } = one
  if (rate === undefined) return stage.options.rate
  const ceiling = stage.measurements.find(
    (measured) => measured.round === round && measured.case === rate.of,
  )
  return ceiling === undefined ? UNKNOWN_RATE : ceiling.unitsPerSecond * rate.share
}

/** Card payments are done when their money is, not when they are answered. */
async function completedBetween({ client, tenant }: Stage, from: number, to: number) {
  const { rows } = await client.query<{ completed: string }>(
    `select count(*) as completed from payments.payments
     where tenant_id = $1 and payment_type = 'card' and status = 'completed'
       and completed_at >= $2 and completed_at < $3`,
    [tenant.tenantId, new Date(from), new Date(to)],
  )
  return Number(rows[0]?.completed)
}

/** In this process: what is compared is the work of one thread, with no network in between. */
async function runGuardCase(
  one: Extract<Case, { kind: 'guard' }>,
  round: number,
  { measureMs }: Times,
): Promise<Measurement> {
  const { from, to, units, cpuMicros } = await runGuard(one.cached, measureMs)
  return {
    case: one.name,
    round,
    unitsPerSecond: (units / (to - from)) * 1_000,
    units,
    latency: { average: (to - from) / units },
    cpuMicros: { postgres: 0, service: 0, gateway: 0, driver: cpuMicros / units },
    walBytes: 0,
    unitsPerTransaction: 1,
  }
}

async function runPgBench(
  one: Case,
  round: number,
  { stage, times }: { stage: Stage; times: Times },
): Promise<Measurement | undefined> {
  const { pgbench, meter, signal } = stage
  if (pgbench === undefined) return undefined
  await pgbench.run(times.warmUpMs / 1_000)
  await sleep(0, undefined, { signal })
  const before = await meter.read()
  const result = await pgbench.run(times.measureMs / 1_000)
  const used = difference(before, await meter.read())
  return {
    case: one.name,
    round,
    unitsPerSecond: result.tps,
    units: result.transactions,
    latency: { average: result.averageMs },
    ...costs(used, result.transactions, result.cpuMicros),
    unitsPerTransaction: 1,
  }
}

function progressOf({ case: name, round, unitsPerSecond, latency }: Measurement): string {
  const wait = 'p99' in latency ? `p99 ${latency.p99.toFixed(1)}` : `~${latency.average.toFixed(1)}`
  return `  ${round}. ${name.padEnd(14)} ${unitsPerSecond.toFixed(0).padStart(7)}/s  ${wait} ms`
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}
