import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Counters, count, limitFault, startOfDay } from './limits.ts'

const consent = {
  tenant_id: 't',
  id: '018f0000-0000-7000-8000-000000000000',
  max_amount: null,
  per_day: null,
  per_month: null,
  count_per_day: null,
}
const spending = { currency: 'EUR', amount: 10n, day: '2026-11-23', timeZone: 'UTC' }

function limitOf(fault: ReturnType<typeof limitFault>) {
  return fault?.refusal.facts['limit'] as Record<string, unknown> | undefined
}

test('days begin when the clocks of the place say so, also when they are changed', () => {
  const begins = (day: string, zone: string) => startOfDay(day, zone).toISOString()
  assert.equal(begins('2026-11-23', 'UTC'), '2026-11-23T00:00:00.000Z')
  assert.equal(begins('2026-03-29', 'Europe/Berlin'), '2026-03-28T23:00:00.000Z')
  assert.equal(begins('2026-03-30', 'Europe/Berlin'), '2026-03-29T22:00:00.000Z') // 23 hours later
  assert.equal(begins('2026-10-26', 'Europe/Berlin'), '2026-10-25T23:00:00.000Z')
  assert.equal(begins('2026-11-23', 'Asia/Kathmandu'), '2026-11-22T18:15:00.000Z')
  assert.equal(begins('2026-11-23', 'Pacific/Kiritimati'), '2026-11-22T10:00:00.000Z')
  assert.equal(begins('2026-09-06', 'America/Santiago'), '2026-09-06T04:00:00.000Z') // midnight is skipped
})

test('a consent without limits has none', () => {
  assert.equal(limitFault(new Map(), consent, { ...spending, amount: 10n ** 12n }), undefined)
})

test('currencies count by themselves', () => {
  const counters: Counters = new Map()
  const limited = { ...consent, per_day: 10n }
  count(counters, limited, spending)
  assert.equal(limitOf(limitFault(counters, limited, spending))?.['used'], 10)
  assert.equal(limitFault(counters, limited, { ...spending, currency: 'USD' }), undefined)
})

test('a month ends with its last day', () => {
  const counters: Counters = new Map()
  const limited = { ...consent, per_month: 10n }
  count(counters, limited, { ...spending, day: '2026-12-31' })
  const fault = limitFault(counters, limited, { ...spending, day: '2026-12-30' })
  assert.equal(limitOf(fault)?.['resets_at'], '2027-01-01T00:00:00.000Z')
  assert.equal(limitFault(counters, limited, { ...spending, day: '2027-01-01' }), undefined)
})

test('whatever is asked in whatever order, no day, month or number is ever exceeded', () => {
  const limit = fc.option(fc.bigInt({ min: 1n, max: 60n }))
  const act = fc.record({
    amount: fc.bigInt({ min: 1n, max: 30n }),
    day: fc.constantFrom('2026-11-29', '2026-11-30', '2026-12-01', '2026-12-02'),
    back: fc.boolean(),
  })
  fc.assert(
    fc.property(
      limit,
      limit,
      fc.option(fc.integer({ min: 1, max: 4 })),
      fc.array(act),
      (day, month, often, acts) => {
        const limited = { ...consent, per_day: day, per_month: month, count_per_day: often }
        const counters: Counters = new Map()
        const made: { amount: bigint; day: string }[] = []
        for (const { amount, day: on, back } of acts) {
          if (back) {
            const last = made.pop()
            if (last !== undefined) count(counters, limited, { ...spending, ...last }, -1)
            continue
          }
          const asked = { ...spending, amount, day: on }
          if (limitFault(counters, limited, asked) !== undefined) continue
          count(counters, limited, asked)
          made.push({ amount, day: on })
        }
        for (const { usedAmount, usedCount, period, startsOn } of counters.values()) {
          const within = made.filter((one) =>
            one.day.startsWith(period === 'day' ? startsOn : startsOn.slice(0, 7)),
          )
          assert.equal(
            usedAmount,
            within.reduce((sum, { amount }) => sum + amount, 0n),
          )
          assert.equal(usedCount, within.length)
          const most = period === 'day' ? day : month
          assert.ok(most === null || usedAmount <= most)
          assert.ok(period === 'month' || often === null || usedCount <= often)
        }
      },
    ),
  )
})
