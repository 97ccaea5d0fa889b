import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Machine } from '../../platform/state-machine.ts'
import {
  captureStates,
  paymentStates,
  paymentStatuses,
  refundStates,
  statusGroupOf,
  statusOf,
} from './payment.states.ts'

const machines = [paymentStates, refundStates, captureStates] as unknown as Machine<string>[]

for (const machine of machines) {
  const events = new Set(Object.values(machine.transitions).flatMap((row) => Object.keys(row)))

  test(`${machine.name}: every cell leads to a state of the table, every missing cell to none`, () => {
    for (const state of machine.states) {
      for (const event of events) {
        const next = machine.next(state, event)
        const listed = Object.hasOwn(machine.transitions[state] as object, event)
        assert.equal(next !== undefined, listed, `${state} + ${event}`)
        if (next !== undefined) assert.ok(machine.states.includes(next))
      }
    }
  })

  test(`${machine.name}: a word that is no event moves nothing, whatever it is`, () => {
    for (const state of machine.states) {
      for (const word of ['', 'toString', 'constructor', '__proto__', 'nonsense']) {
        assert.equal(machine.next(state, word), undefined)
      }
    }
  })
}

test('money that has moved is never told to have failed', () => {
  assert.deepEqual(paymentStates.transitions.completed, {})
  for (const row of Object.values(paymentStates.transitions)) {
    const cells: Readonly<Partial<Record<string, string>>> = row
    if ('succeeded' in cells) assert.equal(cells['succeeded'], 'completed')
  }
})

test('a final no is never flipped to a yes without a person', () => {
  for (const state of ['failed', 'canceled'] as const) {
    assert.deepEqual(Object.values(paymentStates.transitions[state]), ['needs_review'])
  }
})

test('a refund that was given up never comes back', () => {
  assert.deepEqual(refundStates.transitions.failed, {})
  assert.deepEqual(refundStates.transitions.canceled, {})
})

test('a poller that knows the three groups is complete', () => {
  for (const status of paymentStatuses) {
    assert.ok(['pending', 'completed', 'failed'].includes(statusGroupOf(status)))
  }
})

test('the status of a completed payment tells how much of it was refunded', () => {
  const paid = { state: 'completed', amount_captured: 100n } as const
  assert.equal(statusOf({ ...paid, amount_refunded: 0n }), 'completed')
  assert.equal(statusOf({ ...paid, amount_refunded: 99n }), 'partially_refunded')
  assert.equal(statusOf({ ...paid, amount_refunded: 100n }), 'refunded')
})
