import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkBooks } from './check-books.ts'
import { type Span, summariseProfile } from './cpu-profile.ts'
import { environmentOf, load } from './environment.ts'
import { type Options, readOptions } from './options.ts'
import type { PgBench } from './pgbench.ts'
import { type Ground, prepareGround } from './prepare-ground.ts'
import { type Report, reportText } from './report.ts'
import { type Rounds, runRounds } from './run-rounds.ts'
import { barsOf, standingsOf } from './standings.ts'
import { whenStopped } from './when-stopped.ts'

/**
 * Ends with 0; with 1 when a promise was broken, the run failed or was stopped, or a bar was missed
 * under --strict; with 2 on a wrong flag.
 */
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
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stopped.abort(new Error(`stopped by ${name}`)))
  }
  const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(longestMs(options))])
  try {
    const { valid, bars } = await bench(options, signal)
    const missed = bars.some(({ met }) => met === false)
    process.exitCode = !valid || (missed && options.strict) ? 1 : 0
  } catch (error) {
    const told = error instanceof Error ? error.stack : String(error)
    process.stderr.write(`${signal.aborted ? (signal.reason as Error).message : told}\n`)
    process.exitCode = 1
  }
  process.exit() // no socket or timer of what failed shall keep us
}

const PREPARATION_MS = 600_000 // with slow disks in mind

function longestMs({ rounds, seconds, warmUpSeconds, cases }: Options): number {
  return PREPARATION_MS + 3_000 * rounds * cases.length * (seconds + warmUpSeconds[0])
}

async function bench(options: Options, signal: AbortSignal): Promise<Report> {
  const { out, cpuProfile } = options
  const loadBefore = load()
  const cpuProfiles = cpuProfile ? join(out, 'bench-profile') : undefined
  const earlier = cpuProfiles === undefined ? [] : await listProfiles(cpuProfiles)
  await using cleanup = new AsyncDisposableStack()
  const ground = await prepareGround(options, { signal, say, cpuProfiles, cleanup })
  const { client, service, tenant } = ground
  const pgbench = pgBenchState(options, ground.pgbench)
  const environment = await environmentOf(client, { pgbench, loadBefore })
  const rounds = await runRounds(options, ground).catch((error: unknown) => {
    for (const line of lastWords(ground)) say(line)
    throw error
  })
  const { tenantId } = tenant
  const { gatewayPort } = service
  say('checking the books')
  const checking = checkBooks({ client, tenantId, gatewayPort, loads: rounds.loads })
  const verdicts = await Promise.race([checking, whenStopped(signal)])
  const report = reportOf(options, { environment, verdicts, rounds })
  await mkdir(out, { recursive: true })
  writeFileSync(join(out, 'bench-report.json'), `${JSON.stringify(report, null, 2)}\n`)
  say(`\n${reportText(report)}`)
  if (cpuProfiles !== undefined) {
    await service.stop() // which writes the profile
    await printProfile(cpuProfiles, earlier, rounds.spans)
  }
  return report
}

function reportOf(
  options: Options,
  { environment, verdicts, rounds }: Pick<Report, 'environment' | 'verdicts'> & { rounds: Rounds },
): Report {
  const { measurements } = rounds
  const standings = standingsOf(options.cases, measurements)
  const { cases: _, ...settings } = options
  return {
    environment,
    loadAfter: load(),
    options: settings,
    standings,
    bars: barsOf(standings, measurements),
    verdicts,
    valid: verdicts.every(({ violations }) => violations === 0),
    measurements,
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function pgBenchState({ cases }: Options, pgbench: PgBench | undefined): string {
  if (cases.every(({ kind }) => kind !== 'pgbench')) return 'not asked for'
  return pgbench?.version ?? 'not found on this machine, so no comparison with it'
}

/** What the processes logged last; their logs go away with the directory. */
function lastWords({ cluster: { directory } }: Ground): string[] {
  const logs = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return logs.flatMap((name) => {
    const lines = readFileSync(join(directory, name), 'utf8').trimEnd().split('\n').slice(-5)
    return lines.filter(Boolean).map((line) => `${name}: ${line.slice(0, 500)}`)
  })
}

const ROOT = `${resolve(import.meta.dirname, '../../..')}/`

async function listProfiles(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true })
  return (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'))
}

async function printProfile(
  directory: string,
  earlier: readonly string[],
  spans: readonly Span[],
): Promise<void> {
  const made = (await listProfiles(directory)).filter((name) => !earlier.includes(name))
  for (const name of made) {
    const path = join(directory, name)
    say(`\n${path}\n${summariseProfile(path, spans, ROOT)}`)
  }
}
