import type { Case } from './cases.ts'
import type { Measurement } from './measure.ts'

/** A case over all rounds: the median of each number. */
export interface Standing {
  readonly case: string
  readonly kind: Case['kind']
  readonly rounds: number
  readonly unitsPerSecond: number
  readonly p50: number | undefined
  readonly p95: number | undefined
  readonly p99: number | undefined
  readonly max: number | undefined
  readonly averageMs: number | undefined
  readonly cpuMicros: Measurement['cpuMicros']
  readonly walBytes: number
  readonly unitsPerTransaction: number
}

export function standingsOf(
  cases: readonly Case[],
  measurements: readonly Measurement[],
): Standing[] {
  return cases.flatMap(({ name, kind }) => {
    const mine = measurements.filter((measurement) => measurement.case === name)
    if (mine.length === 0) return []
    const latency = (key: 'p50' | 'p95' | 'p99' | 'max' | 'average') =>
      median(
        mine.flatMap(({ latency: known }) =>
          key in known ? [(known as Readonly<Record<string, number>>)[key] as number] : [],
        ),
      )
    const number = (of: (one: Measurement) => number) => median(mine.map(of)) as number
    return [
      {
        case: name,
        kind,
        rounds: mine.length,
        unitsPerSecond: number((one) => one.unitsPerSecond),
        p50: latency('p50'),
        p95: latency('p95'),
        p99: latency('p99'),
        max: latency('max'),
        averageMs: latency('average'),
        cpuMicros: {
          postgres: number(({ cpuMicros }) => cpuMicros.postgres),
          service: number(({ cpuMicros }) => cpuMicros.service),
          gateway: number(({ cpuMicros }) => cpuMicros.gateway),
          driver: number(({ cpuMicros }) => cpuMicros.driver),
        },
        walBytes: number((one) => one.walBytes),
        unitsPerTransaction: number((one) => one.unitsPerTransaction),
      },
    ]
  })
}

/** A comparison and, where there is one, its target; values are undefined where a case did not run. */
export interface Bar {
  readonly name: string
  readonly value: number | undefined
  readonly bar: number | undefined
  readonly better: 'more' | 'less'
  readonly met: boolean | undefined
  /** Which cases were compared. */
  readonly by: string
}

const MAX_P99_MS = 50
const MIN_TOKENS = 1_000

/**
 * Ratios are taken within a round, where both sides had the same machine, and are medians over the
 * rounds. Rates stand by the fastest number of connections. Latency stands by the fastest that keeps
 * the promised p99, if one does: with more connections than a machine can serve at once, a request
 * waits for those before it, and its latency is their number by the rate.
 */
export function barsOf(
  standings: readonly Standing[],
  measurements: readonly Measurement[],
): Bar[] {
  const spread = fastest(standings, SPREAD)
  const prompt = fastest(standings, SPREAD, isPrompt) ?? mostPrompt(standings, SPREAD)
  const hot = fastest(standings, ['book-64-hot', 'book-256-hot'])
  const bulk = fastest(standings, ['bulk-100', 'bulk-500'])
  const ratio = (name: string, over: string | undefined, under: string, bar: number): Bar => {
    const value = ratioOf(measurements, { over, under, of: ({ unitsPerSecond }) => unitsPerSecond })
    const met = value === undefined ? undefined : value >= bar
    return { name, value, bar, better: 'more', met, by: `${over ?? '-'} / ${under}` }
  }
  const cpuRatio = (name: string, over: string, under: string | undefined): Bar => {
    const value = ratioOf(measurements, { over, under, of: allMicros })
    return {
      name,
      value,
      bar: undefined,
      better: 'more',
      met: undefined,
      by: `${over} / ${under ?? '-'}`,
    }
  }
  const tokens = standings.find((one) => one.case === 'token-64')?.unitsPerSecond
  const p99 = standings.find((one) => one.case === prompt)?.p99
  return [
    ratio('book payments over naive, spread accounts', spread, 'naive', 4),
    ratio('book payments over naive, one hot account', hot, 'naive-hot', 10),
    ratio('book payments over pgbench TPC-B-like', spread, 'pgbench', 1),
    ratio('bulk transfers over pgbench TPC-B-like', bulk, 'pgbench', 2),
    ratio('tokens let in from memory over by signature', 'guard-cached', 'guard-uncached', 10),
    {
      name: 'client_credentials tokens per second',
      value: tokens,
      bar: MIN_TOKENS,
      better: 'more',
      met: tokens === undefined ? undefined : tokens >= MIN_TOKENS,
      by: 'token-64',
    },
    {
      name: 'book payments, p99 in ms',
      value: p99,
      bar: MAX_P99_MS,
      better: 'less',
      met: p99 === undefined ? undefined : p99 < MAX_P99_MS,
      by: prompt ?? '-',
    },
    {
      ...ratio('the same payments over naive', prompt, 'naive', 0),
      bar: undefined,
      met: undefined,
    },
    // Other work on the machine slows a process of one thread more than one of sixteen; CPU time tells.
    cpuRatio('CPU time of naive over that of a book payment, spread accounts', 'naive', spread),
    cpuRatio('CPU time of naive over that of a book payment, one hot account', 'naive-hot', hot),
  ]
}

const SPREAD = ['book-32', 'book-64', 'book-256']

function fastest(
  standings: readonly Standing[],
  names: readonly string[],
  fits: (standing: Standing) => boolean = () => true,
): string | undefined {
  return standings
    .filter((one) => names.includes(one.case) && fits(one))
    .toSorted((one, other) => other.unitsPerSecond - one.unitsPerSecond)[0]?.case
}

function isPrompt({ p99 }: Standing): boolean {
  return p99 !== undefined && p99 < MAX_P99_MS
}

function mostPrompt(standings: readonly Standing[], names: readonly string[]): string | undefined {
  return standings
    .filter((one) => names.includes(one.case) && one.p99 !== undefined)
    .toSorted((one, other) => Number(one.p99) - Number(other.p99))[0]?.case
}

/** Everything that runs for one unit, the driver of the load included. */
function allMicros({ cpuMicros }: Measurement): number {
  const { postgres, service, gateway, driver } = cpuMicros
  return postgres + service + gateway + driver
}

interface Compared {
  readonly over: string | undefined
  readonly under: string | undefined
  readonly of: (measurement: Measurement) => number
}

function ratioOf(
  measurements: readonly Measurement[],
  { over, under, of }: Compared,
): number | undefined {
  const byRound = (name: string | undefined) =>
    new Map(measurements.filter((one) => one.case === name).map((one) => [one.round, of(one)]))
  const divisors = byRound(under)
  return median(
    [...byRound(over)].flatMap(([round, value]) => {
      const divisor = divisors.get(round)
      return divisor === undefined ? [] : [value / divisor]
    }),
  )
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  if (upper === undefined || sorted.length % 2 === 1) return upper
  return ((sorted[middle - 1] as number) + upper) / 2
}
