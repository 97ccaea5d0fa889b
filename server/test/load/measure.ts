import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from './child.ts'
import type { HttpLoad, Latency, NaiveLoad, Totals, Window } from './load.ts'
import { type Meter, type Reading, difference } from './meter.ts'

/** One case in one round. Costs are per unit. */
export interface Measurement {
  readonly case: string
  readonly round: number
  readonly unitsPerSecond: number
  readonly units: number
  /** Of requests; of pgbench only the average is known. */
  readonly latency: Latency | { readonly average: number }
  readonly cpuMicros: {
    readonly postgres: number
    readonly service: number
    readonly gateway: number
    /** Of the generator, the baseline's program or pgbench. */
    readonly driver: number
  }
  readonly walBytes: number
  readonly unitsPerTransaction: number
  readonly totals?: Totals
}

export interface Times {
  readonly warmUpMs: number
  readonly measureMs: number
  readonly signal: AbortSignal
}

export interface Driven {
  readonly window: Window
  readonly totals: Totals
  readonly used: Reading
}

/** Runs a load: warm-up, then measures between two marks, then lets it end. */
export async function drive(
  child: Child,
  load: HttpLoad | NaiveLoad,
  { meter, times }: { meter: Meter; times: Times },
): Promise<Driven> {
  const { warmUpMs, measureMs, signal } = times
  await child.ask({ kind: 'start', load })
  await sleep(warmUpMs, undefined, { signal })
  const before = await meter.read()
  await child.ask({ kind: 'mark' })
  await sleep(measureMs, undefined, { signal })
  const window = await child.ask<Window>({ kind: 'mark' })
  const after = await meter.read()
  const totals = await child.ask<Totals>({ kind: 'stop' })
  return { window, totals, used: difference(before, after) }
}

export function costs(used: Reading, units: number, driverMicros: number) {
  return {
    cpuMicros: {
      postgres: used.postgresMicros / units,
      service: used.serviceMicros / units,
      gateway: used.gatewayMicros / units,
      driver: driverMicros / units,
    },
    walBytes: used.walBytes / units,
    unitsPerTransaction: units / used.transactions,
  }
}
