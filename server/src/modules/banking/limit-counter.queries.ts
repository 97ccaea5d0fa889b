import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'
import { type Counter, type Counters, keyOf } from './limits.ts'

type Tx = TxOf<'banking'>

interface CounterRow {
  readonly tenant_id: string
  readonly consent_id: string
  readonly currency: string
  readonly period: 'day' | 'month'
  readonly starts_on: string
  readonly used_amount: bigint
  readonly used_count: number
}

export interface CountedConsent {
  readonly tenantId: string
  readonly consentId: string
  /** Days, and months, that begin before are not asked for. */
  readonly fromDay: string
  readonly fromMonth: string
}

/** The counters of these consents, whose rows must be locked: that guards the counters too. */
export async function readCounters(tx: Tx, consents: readonly CountedConsent[]): Promise<Counters> {
  const { rows } = await selectCounters(
    tx,
    consents.map(({ tenantId }) => tenantId),
    consents.map(({ consentId }) => consentId),
    consents.map(({ fromDay }) => fromDay),
    consents.map(({ fromMonth }) => fromMonth),
  )
  const counters = rows.map((row) => ({
    tenantId: row.tenant_id,
    consentId: row.consent_id,
    currency: row.currency,
    period: row.period,
    startsOn: row.starts_on,
    usedAmount: row.used_amount,
    usedCount: row.used_count,
    changed: false,
  }))
  return new Map(counters.map((counter) => [keyOf(counter), counter]))
}

const selectCounters = statement<CounterRow>(`
  select l.* from unnest($1::uuid[], $2::uuid[], $3::date[], $4::date[])
    as u (tenant_id, consent_id, from_day, from_month)
  cross join lateral (
    select * from banking.limit_counters k
    where k.tenant_id = u.tenant_id and k.consent_id = u.consent_id
      and ((k.period = 'day' and k.starts_on >= u.from_day)
        or (k.period = 'month' and k.starts_on >= u.from_month))
  ) l`)

export async function writeCounters(tx: Tx, counters: readonly Counter[]): Promise<void> {
  if (counters.length === 0) return
  await upsertCounters(
    tx,
    counters.map(({ tenantId }) => tenantId),
    counters.map(({ consentId }) => consentId),
    counters.map(({ currency }) => currency),
    counters.map(({ period }) => period),
    counters.map(({ startsOn }) => startsOn),
    counters.map(({ usedAmount }) => usedAmount),
    counters.map(({ usedCount }) => usedCount),
  )
}

const upsertCounters = statement(`
  insert into banking.limit_counters
    (tenant_id, consent_id, currency, period, starts_on, used_amount, used_count)
  select tenant_id, consent_id, currency, period, starts_on, used_amount, used_count
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::int[])
    as u (tenant_id, consent_id, currency, period, starts_on, used_amount, used_count)
  on conflict (tenant_id, consent_id, currency, period, starts_on)
  do update set used_amount = excluded.used_amount, used_count = excluded.used_count`)
