import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cases } from './cases.ts'
import type { Measurement } from './measure.ts'
import { barsOf, median, standingsOf } from './standings.ts'

function measured(name: string, round: number, unitsPerSecond: number, p99 = 20): Measurement {
  return {
    case: name,
    round,
    unitsPerSecond,
    units: unitsPerSecond,
    latency: { p50: p99 / 2, p95: p99, p99, max: p99 },
    cpuMicros: { postgres: 100, service: 200, gateway: 0, driver: 20 },
    walBytes: 3_000,
    unitsPerTransaction: 32,
  }
}

function bars(measurements: readonly Measurement[]) {
  const found = barsOf(standingsOf(cases, measurements), measurements)
  return (name: RegExp) => found.find((bar) => name.test(bar.name))
}

test('the median of an even number of values lies between the middle two', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(median([9, 1, 2]), 2)
  assert.equal(median([]), undefined)
})

test('a ratio compares what was measured in the same round', () => {
  const slow = [measured('book-64', 1, 400), measured('naive', 1, 100)]
  const fast = [measured('book-64', 2, 5_000), measured('naive', 2, 1_000)]
  const faster = [measured('book-64', 3, 9_000), measured('naive', 3, 1_500)]
  const bar = bars([...slow, ...fast, ...faster])(/over naive, spread/)
  assert.equal(bar?.value, 5)
  assert.equal(bar?.met, true)
})

test('the fastest case that keeps the promised p99 stands for it, the fastest of all for the rate', () => {
  const bar = bars([
    measured('book-64', 1, 5_000, 30),
    measured('book-256', 1, 6_000, 80),
    measured('naive', 1, 1_000),
  ])
  assert.equal(bar(/over naive, spread/)?.by, 'book-256 / naive')
  assert.equal(bar(/the same payments over naive/)?.value, 5)
  assert.equal(bar(/p99/)?.by, 'book-64')
  assert.equal(bar(/p99/)?.met, true)
})

test('when no case keeps it, the one that comes nearest stands for it and the bar is missed', () => {
  const bar = bars([measured('book-64', 1, 5_000, 60), measured('book-256', 1, 6_000, 80)])
  assert.equal(bar(/p99/)?.by, 'book-64')
  assert.equal(bar(/p99/)?.met, false)
})

test('a comparison whose cases did not run is neither met nor missed', () => {
  const bar = bars([measured('book-64', 1, 5_000)])(/book payments over pgbench/)
  assert.equal(bar?.value, undefined)
  assert.equal(bar?.met, undefined)
})
