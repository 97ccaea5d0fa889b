import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LoadSignals, nextLevel, watchLoad } from './load.ts'

const calm: LoadSignals = { loopDelayMs: 21, utilization: 0.5, heap: 0.4, pressed: false }

function levels(from: number, signals: Partial<LoadSignals>, looks: number): number[] {
  let level = from
  return Array.from({ length: looks }, () => (level = nextLevel(level, { ...calm, ...signals })))
}

test('each kind of strain climbs to the top within four looks, and calm climbs down', () => {
  for (const strain of [{ loopDelayMs: 251 }, { heap: 0.86 }, { pressed: true }]) {
    assert.deepEqual(levels(0, strain, 6), [1, 2, 3, 4, 4, 4])
  }
  assert.deepEqual(levels(4, {}, 6), [3, 2, 1, 0, 0, 0])
})

test('a process that is merely busy turns nobody away but exports', () => {
  assert.deepEqual(levels(0, { utilization: 1 }, 4), [1, 2, 2, 2])
  assert.deepEqual(levels(4, { utilization: 1 }, 2), [2, 2])
})

test('the load of an idle process is none', () => {
  const load = watchLoad()
  assert.equal(load.level(), 0)
  load.stop()
})
