import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { clientOf } from '../support/gateway-client.ts'
import { internalId } from '../../src/platform/ids.ts'
import type { Totals } from './load.ts'
import { BULK_TYPE } from './request-templates.ts'

/** One load that ran, and what it was told. */
export interface RanLoad {
  readonly keyPrefix: string
  readonly journalFile: string
  readonly totals: Totals
  /** Transfers in each request, for a bulk load. */
  readonly items?: number
}

/** A promise, and how often it was found broken. One that was is enough to void the run. */
export interface Verdict {
  readonly promise: string
  readonly violations: number
  readonly tookMs: number
}

export interface Checked {
  readonly client: Client
  readonly tenantId: string
  readonly gatewayPort: number
  readonly loads: readonly RanLoad[]
}

const PATIENCE_MS = 300_000 // of one check over some millions of rows; a bad plan shall not hang the run

/** Looks into the tables, past the service: is every acknowledged payment there, and do the books add up? */
export async function checkBooks(checked: Checked): Promise<Verdict[]> {
  const { client, tenantId, loads } = checked
  await cardsAtRest(client, tenantId)
  await client.query(`set work_mem = '256MB'; set statement_timeout = '${PATIENCE_MS}'; analyze`)
  const bulkRequests = await keepAcknowledged(client, loads)
  const counts: Record<string, () => Promise<number>> = {
    'every request was accepted': () => Promise.resolve(refusedIn(loads)),
    'one key for each request, none for others': () => keyDifferences(checked),
    'every transfer of an acknowledged bulk request is booked, and no other': () =>
      bulkDifference(checked, bulkRequests),
    'the gateway moved money once for each completed card payment, and for no other': () =>
      gatewayDifferences(checked),
  }
  for (const [promise, sql] of Object.entries(promises)) {
    counts[promise] = () => countOf(client, sql, tenantId)
  }
  const verdicts: Verdict[] = []
  for (const [promise, count] of Object.entries(counts)) {
    const since = performance.now()
    const violations = await count()
    verdicts.push({ promise, violations, tookMs: Math.round(performance.now() - since) })
  }
  return verdicts
}

async function countOf(client: Client, sql: string, tenantId: string): Promise<number> {
  const { rows } = await client.query<{ violations: string }>(
    `select count(*) as violations from (${sql}) violation`,
    [tenantId],
  )
  return Number(rows[0]?.violations)
}

/** Each lists what breaks it. `$1` is the tenant; `acked` is what the drivers were told. */
const promises: Readonly<Record<string, string>> = {
  'every acknowledged payment is stored under its key, completed and announced': `
    select from acked a
    left join platform.idempotency_keys k on k.tenant_id = $1 and k.key = a.key and k.object_id = a.payment_id
    left join payments.payments p on p.tenant_id = $1 and p.id = a.payment_id
    left join (
      select object_id from platform.events where tenant_id = $1 and type = 'payment.completed'
    ) e on e.object_id = a.payment_id
    where k.key is null or p.id is null or p.status <> 'completed' or e.object_id is null`,
  'every completed payment is one transaction of its amount, by its parties': `
    select from payments.payments p
    left join ledger.transactions t
      on t.tenant_id = p.tenant_id and t.transaction_id = p.ledger_transaction_ids[1] and t.correlation_id = p.id
    left join lateral (
      select count(*) filter (where n.account_id = p.recipient_account_id and n.amount = - p.amount) as credited,
             count(*) filter (where p.source_account_id is null or n.account_id = p.source_account_id) as debited
      from ledger.entries n where n.tenant_id = p.tenant_id and n.transaction_id = t.transaction_id
    ) n on true
    where p.tenant_id = $1 and p.status = 'completed'
      and (t.amount is distinct from p.amount or n.credited <> 1 or n.debited < 1)`,
  'every transaction has all its entries and sums to zero in each currency': `
    select from (
      select transaction_id, currency, sum(amount) as total from ledger.entries where tenant_id = $1 group by 1, 2
    ) s where s.total <> 0
    union all
    select from ledger.transactions t
    full join (select transaction_id, count(*) as entries from ledger.entries where tenant_id = $1 group by 1) n
      on n.transaction_id = t.transaction_id
    where (t.tenant_id = $1 or t.tenant_id is null) and t.entry_count is distinct from n.entries`,
  'every balance is the sum of its entries': `
    select from ledger.balances b
    left join (
      select account_id, sum(amount) filter (where amount > 0) as debits, - sum(amount) filter (where amount < 0) as credits,
             max(seq) as seq, count(*) as entries, max(booked_at) as booked_at
      from ledger.entries where tenant_id = $1 group by 1
    ) n on n.account_id = b.account_id
    where b.tenant_id = $1 and (
      b.debits_posted <> coalesce(n.debits, 0) or b.credits_posted <> coalesce(n.credits, 0)
      or b.last_seq <> coalesce(n.seq, 0) or coalesce(n.seq, 0) <> coalesce(n.entries, 0)
      or b.last_booked_at <> coalesce(n.booked_at, b.last_booked_at))`,
  'every entry continues the balance before it': `
    select from (
      select balance_after - amount as before, seq,
             lag(balance_after, 1, 0::bigint) over account as expected, lag(seq, 1, 0::bigint) over account as previous
      from ledger.entries where tenant_id = $1
      window account as (partition by account_id order by booked_at, seq)
    ) n where n.before <> n.expected or n.seq <> n.previous + 1`,
  'all accounts together are zero': `
    select from ledger.balances where tenant_id = $1
    group by currency having sum(debits_posted) <> sum(credits_posted)`,
  'no account is below its limit': `
    select from ledger.balances
    where tenant_id = $1 and min_available is not null and forced_floor is null and min_available >
      case normal_side when 'credit' then credits_posted - debits_posted - debits_pending
                       else debits_posted - credits_posted - credits_pending end`,
  'the events of an object are numbered without a gap': `
    select from platform.events where tenant_id = $1
    group by object_id having max(sequence) <> count(*) or count(distinct sequence) <> count(*)`,
  'service and baseline wrote for each book payment what the service wrote for the first': `
    with events as (
      select object_id, count(*) as rows from platform.events where tenant_id = $1 group by 1
    ), acts as (
      select resource_id, count(*) as rows from audit.events where tenant_id = $1 group by 1
    ), answers as (
      select principal, key, count(*) as rows from platform.idempotency_responses where tenant_id = $1 group by 1, 2
    ), payments as (
      select k.key, format('%s events, %s acts, %s answers', coalesce(e.rows, 0) + coalesce(l.rows, 0),
                           coalesce(u.rows, 0), coalesce(r.rows, 0)) as wrote
      from payments.payments p
      join platform.idempotency_keys k on k.tenant_id = p.tenant_id and k.object_id = p.id
      left join events e on e.object_id = p.id
      left join events l on l.object_id = p.ledger_transaction_ids[1]
      left join acts u on u.resource_id = p.id
      left join answers r on r.principal = k.principal and r.key = k.key
      where p.tenant_id = $1 and p.payment_type = 'book'
    )
    select from payments where wrote is distinct from (select wrote from payments where key = 'specimen')`,
}

const REST_MS = 30_000

/** A card payment whose answer could not be waited for is still on its way. */
async function cardsAtRest(client: Client, tenantId: string): Promise<void> {
  const until = Date.now() + REST_MS
  while (Date.now() < until) {
    const { rowCount } = await client.query(
      `select from payments.payments where tenant_id = $1 and status in ('pending', 'processing') limit 1`,
      [tenantId],
    )
    if (rowCount === 0) return
    await sleep(200)
  }
}

const ROWS = 20_000

/** Brings the journals into the table `acked`; answers the bulk requests acknowledged, by load. */
async function keepAcknowledged(
  client: Client,
  loads: readonly RanLoad[],
): Promise<Map<RanLoad, number>> {
  const bulkRequests = new Map<RanLoad, number>()
  await client.query('create temp table acked (key text collate "C", payment_id uuid)')
  for (const load of loads) {
    const lines = readFileSync(load.journalFile, 'latin1').split('\n').filter(Boolean)
    if (load.items !== undefined) {
      bulkRequests.set(load, lines.length)
      continue
    }
    for (let from = 0; from < lines.length; from += ROWS) {
      const rows = lines.slice(from, from + ROWS).map((line) => line.split(' ') as [string, string])
      await client.query('insert into acked select * from unnest($1::text[], $2::uuid[])', [
        rows.map(([key]) => key),
        rows.map(([, id]) => internalId('pay', id) ?? null),
      ])
    }
  }
  await client.query('analyze acked')
  return bulkRequests
}

function refusedIn(loads: readonly RanLoad[]): number {
  const bad = loads.flatMap(({ totals: { statuses } }) =>
    Object.entries(statuses).filter(([status]) => Number(status) >= 300),
  )
  return bad.reduce((sum, [, count]) => sum + count, 0)
}

/** A request whose connection broke may have left a key or not; all others are accounted for. */
async function keyDifferences({ client, tenantId, loads }: Checked): Promise<number> {
  const { rows } = await client.query<{ prefix: string; keys: string }>(
    `select left(key, -9) as prefix, count(*) as keys from platform.idempotency_keys
     where tenant_id = $1 group by 1`,
    [tenantId],
  )
  const keys = new Map(rows.map(({ prefix, keys: count }) => [prefix, Number(count)]))
  return loads.reduce((sum, { keyPrefix, totals: { sent, lost } }) => {
    const found = keys.get(keyPrefix) ?? 0
    return sum + Math.max(0, found - sent) + Math.max(0, sent - lost - found)
  }, 0)
}

async function bulkDifference(
  { client, tenantId, loads }: Checked,
  acknowledged: ReadonlyMap<RanLoad, number>,
): Promise<number> {
  let fewest = 0
  let most = 0
  for (const load of loads) {
    const { items = 0, totals } = load
    fewest += (acknowledged.get(load) ?? 0) * items
    most += totals.sent * items
  }
  const { rows } = await client.query<{ booked: string }>(
    'select count(*) as booked from ledger.transactions where tenant_id = $1 and type = $2',
    [tenantId, BULK_TYPE],
  )
  const booked = Number(rows[0]?.booked)
  return Math.max(0, fewest - booked) + Math.max(0, booked - most)
}

async function gatewayDifferences(checked: Checked): Promise<number> {
  const { client, tenantId, gatewayPort } = checked
  const journal = await clientOf(gatewayPort).journal()
  const moved = journal.flatMap((entry) =>
    entry.kind === 'operation' && entry.status === 'succeeded' ? [entry] : [],
  )
  await client.query('create temp table moved (attempt_id uuid, amount bigint, currency text)')
  for (let from = 0; from < moved.length; from += ROWS) {
    const rows = moved.slice(from, from + ROWS)
    await client.query(
      'insert into moved select * from unnest($1::uuid[], $2::bigint[], $3::text[])',
      [
        rows.map(({ key }) => uuidOf(key)),
        rows.map(({ amount }) => amount),
        rows.map(({ currency }) => currency),
      ],
    )
  }
  const { rows } = await client.query<{ violations: string }>(
    `select count(*) as violations from (
       select a.id, a.payment_id, p.amount, p.currency from payments.attempts a
       join payments.payments p on p.tenant_id = a.tenant_id and p.id = a.payment_id
       where a.tenant_id = $1 and p.status = 'completed' and p.payment_type = 'card'
     ) c full join moved m on m.attempt_id = c.id and m.amount = c.amount and m.currency = c.currency
     where c.id is null or m.attempt_id is null`,
    [tenantId],
  )
  const twice = moved.length - new Set(moved.map(({ key }) => key)).size
  return Number(rows[0]?.violations) + twice
}

/** A gateway knows an attempt by its id, bare or public. */
function uuidOf(key: string): string {
  return internalId('att', key) ?? key
}
