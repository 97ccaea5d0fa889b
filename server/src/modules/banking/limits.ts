import { businessDay, daysAfter } from '../ledger/index.ts'
import { type Refused } from '../../platform/errors.ts'
import { publicId } from '../../platform/ids.ts'
import { refuse } from './banking.errors.ts'
import type { ConsentRow } from './consent.queries.ts'

/**
 * What a consent allows in a day, in a month and at once. Each currency counts by itself; days and
 * months are those of the tenant's books, so they are right over a change of the clocks.
 */
export interface Counter {
  readonly tenantId: string
  readonly consentId: string
  readonly currency: string
  readonly period: 'day' | 'month'
  readonly startsOn: string
  usedAmount: bigint
  usedCount: number
  changed: boolean
}

/** Counters by `keyOf`; those that are not there stand at zero. */
export type Counters = Map<string, Counter>

type Limits = Pick<
  ConsentRow,
  'tenant_id' | 'id' | 'max_amount' | 'per_day' | 'per_month' | 'count_per_day'
>

export interface Spending {
  readonly currency: string
  readonly amount: bigint
  readonly day: string
  readonly timeZone: string
}

/** Why this amount is beyond a limit, undefined when it is not. Changes nothing. */
export function limitFault(
  counters: Counters,
  consent: Limits,
  { currency, amount, day, timeZone }: Spending,
): Refused | undefined {
  const {
    max_amount: most,
    per_day: perDay,
    per_month: perMonth,
    count_per_day: mostOften,
  } = consent
  const today = counterOf(counters, consent, { currency, period: 'day', day })
  const month = counterOf(counters, consent, { currency, period: 'month', day })
  const exceeded = (facts: Omit<Exceeded, 'of'>) =>
    refuse('limit_exceeded', { limit: { of: publicId('con', consent.id), ...facts } })
  if (most !== null && amount > most) {
    return exceeded({
      measure: 'amount',
      period: 'transfer',
      max: Number(most),
      used: 0,
      resets_at: null,
    })
  }
  const tomorrow = () => startOfDay(daysAfter(day, 1), timeZone).toISOString()
  if (mostOften !== null && today.usedCount + 1 > mostOften) {
    const used = today.usedCount
    return exceeded({
      measure: 'count',
      period: 'day',
      max: mostOften,
      used,
      resets_at: tomorrow(),
    })
  }
  if (perDay !== null && today.usedAmount + amount > perDay) {
    const used = Number(today.usedAmount)
    return exceeded({
      measure: 'amount',
      period: 'day',
      max: Number(perDay),
      used,
      resets_at: tomorrow(),
    })
  }
  if (perMonth !== null && month.usedAmount + amount > perMonth) {
    const used = Number(month.usedAmount)
    const next = startOfDay(nextMonth(day), timeZone).toISOString()
    return exceeded({
      measure: 'amount',
      period: 'month',
      max: Number(perMonth),
      used,
      resets_at: next,
    })
  }
  return undefined
}

interface Exceeded {
  readonly of: string
  readonly measure: 'amount' | 'count'
  readonly period: 'transfer' | 'day' | 'month'
  readonly max: number
  readonly used: number
  readonly resets_at: string | null
}

/** Counts a transfer, or takes it back where `sign` is -1. */
export function count(
  counters: Counters,
  consent: Pick<Limits, 'tenant_id' | 'id'>,
  { currency, amount, day }: Pick<Spending, 'currency' | 'amount' | 'day'>,
  sign: 1 | -1 = 1,
): void {
  for (const period of ['day', 'month'] as const) {
    const counter = counterOf(counters, consent, { currency, period, day })
    counter.usedAmount += BigInt(sign) * amount
    counter.usedCount += sign
    counter.changed = true
  }
}

function counterOf(
  counters: Counters,
  consent: Pick<Limits, 'tenant_id' | 'id'>,
  { currency, period, day }: { currency: string; period: Counter['period']; day: string },
): Counter {
  const place = {
    tenantId: consent.tenant_id,
    consentId: consent.id,
    currency,
    period,
    startsOn: period === 'day' ? day : firstOfMonth(day),
  }
  const key = keyOf(place)
  let counter = counters.get(key)
  if (counter === undefined) {
    counter = { ...place, usedAmount: 0n, usedCount: 0, changed: false }
    counters.set(key, counter)
  }
  return counter
}

export function keyOf({
  tenantId,
  consentId,
  currency,
  period,
  startsOn,
}: Omit<Counter, 'usedAmount' | 'usedCount' | 'changed'>): string {
  return `${tenantId} ${consentId} ${currency} ${period} ${startsOn}`
}

export function firstOfMonth(day: string): string {
  return `${day.slice(0, 7)}-01`
}

function nextMonth(day: string): string {
  return firstOfMonth(daysAfter(firstOfMonth(day), 31))
}

const QUARTER_MS = 15 * 60_000 // offsets of time zones are multiples of a quarter of an hour
const MAX_OFFSET_MS = 15 * 3_600_000 // they lie between -12 and +14 hours

/** The instant at which a business day begins in a time zone. */
export function startOfDay(day: string, timeZone: string): Date {
  const midnight = Date.parse(`${day}T00:00:00Z`)
  let before = midnight - MAX_OFFSET_MS
  let after = midnight + MAX_OFFSET_MS
  while (after - before > QUARTER_MS) {
    const middle = before + Math.floor((after - before) / QUARTER_MS / 2) * QUARTER_MS
    if (businessDay(new Date(middle), timeZone) >= day) after = middle
    else before = middle
  }
  return new Date(after)
}
