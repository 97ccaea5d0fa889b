import type { Environment } from './environment.ts'
import type { Options } from './options.ts'
import type { Bar, Standing } from './standings.ts'
import type { Verdict } from './check-books.ts'
import type { Measurement } from './measure.ts'

/** The whole report, as `bench-report.json` holds it. */
export interface Report {
  readonly environment: Environment
  readonly loadAfter: number
  readonly options: Omit<Options, 'cases'>
  readonly standings: readonly Standing[]
  readonly bars: readonly Bar[]
  readonly verdicts: readonly Verdict[]
  /** False when a promise was broken: then the numbers are worth nothing. */
  readonly valid: boolean
  readonly measurements: readonly Measurement[]
}

export function reportText(report: Report): string {
  const { environment, standings, bars, verdicts } = report
  return [
    ...headerLines(report),
    '',
    ...tableLines(standings),
    '',
    ...bars.map(barLine),
    '',
    ...verdictLines(verdicts),
    environment.loadBefore > BUSY_LOAD
      ? `The machine was busy before the run (load ${environment.loadBefore.toFixed(2)}): compare ratios only.`
      : '',
  ]
    .join('\n')
    .trimEnd()
}

const BUSY_LOAD = 0.5

function headerLines({ environment, loadAfter, options }: Report): string[] {
  const { settings } = environment
  const { rounds, seconds, accounts, profile } = options
  return [
    `${environment.takenAt}  git ${environment.git}  Node ${environment.node}`,
    `${environment.cpu}, ${environment.cores} cores, ${environment.memoryMegabytes} MB; load before ${environment.loadBefore.toFixed(2)}, after ${loadAfter.toFixed(2)}`,
    environment.postgres,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    `pgbench: ${environment.pgbench}`,
    `${profile}: ${rounds} x ${seconds} s per case, medians; ${accounts} accounts; the generator shares the cores`,
  ]
}

// oxfmt-ignore
const columns: readonly [title: string, cell: (standing: Standing) => string][] = [
  ['case',       (one) => one.case],
  ['per s',      (one) => one.unitsPerSecond.toFixed(0)],
  ['p50 ms',     (one) => one.p50 === undefined ? `~${one.averageMs?.toFixed(1)}` : one.p50.toFixed(1)],
  ['p95',        (one) => one.p95?.toFixed(1) ?? ''],
  ['p99',        (one) => one.p99?.toFixed(1) ?? ''],
  ['max',        (one) => one.max?.toFixed(0) ?? ''],
  ['CPU us: pg', (one) => micros(one.cpuMicros.postgres)],
  ['service',    (one) => micros(one.cpuMicros.service)],
  ['gateway',    (one) => micros(one.cpuMicros.gateway)],
  ['load',       (one) => micros(one.cpuMicros.driver)],
  ['WAL B',      (one) => one.walBytes.toFixed(0)],
  ['per tx', (one) => one.unitsPerTransaction.toFixed(1)],
]

function micros(value: number): string {
  return Number.isNaN(value) ? '?' : value.toFixed(0)
}

function tableLines(standings: readonly Standing[]): string[] {
  const rows = [
    columns.map(([title]) => title),
    ...standings.map((standing) => columns.map(([, cell]) => cell(standing))),
  ]
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
      .join('  '),
  )
}

function barLine({ name, value, bar, better, met, by }: Bar): string {
  const sign = better === 'more' ? '>=' : '<'
  const said = value === undefined ? 'not measured' : value.toFixed(better === 'more' ? 2 : 1)
  const mark = met === undefined ? '    ' : met ? 'met ' : 'MISS'
  const wanted = bar === undefined ? '' : `bar ${sign} ${bar}; `
  return `${mark}  ${name}: ${said} (${wanted}${by})`
}

function verdictLines(verdicts: readonly Verdict[]): string[] {
  const broken = verdicts.filter(({ violations }) => violations > 0)
  if (broken.length === 0) return [`All ${verdicts.length} promises hold.`]
  return [
    ...broken.map(({ promise, violations }) => `BROKEN  ${promise}: ${violations}`),
    'The run is void.',
  ]
}
