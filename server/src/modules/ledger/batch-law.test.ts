import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { inTransaction } from '../../platform/db/transaction.ts'
import type { Outcome } from '../../platform/errors.ts'
import { newId, publicId } from '../../platform/ids.ts'
import {
  EARLIER,
  PLANNED_ACCOUNTS,
  PLANNED_TENANTS,
  type Plan,
  type PlanIds,
  plans,
  toCommand,
} from '../../../test/support/ledger-commands.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { checkLedger } from './check-ledger.ts'
import { createAccounts } from './create-accounts.ts'
import { postEntries } from './post-entries.ts'
import type { LedgerCommand, LedgerResult } from './posting.ts'

/** The batch law on a real database: the same plan on two sets of books, whole and step by step. */
let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
})
after(() => world?.close())

const STEPS = 14
const EARLY = new Date('2026-11-21T12:00:00Z')
const LAPSE = new Date('2026-11-22T12:00:00Z')

interface Set {
  readonly ids: PlanIds
  readonly tenantIds: readonly string[]
  /** What each id is called in both sets. */
  readonly names: ReadonlyMap<string, string>
}

async function givenSet(): Promise<Set> {
  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)
  // In the same order in both sets: entries of a reversal come in the order of account ids.
  const perTenant = (count: number) =>
    numbers(PLANNED_TENANTS).map(() =>
      numbers(count)
        .map(() => newId(EARLY))
        .toSorted(),
    )
  const tenantIds = await Promise.all(numbers(PLANNED_TENANTS).map(() => world.givenTenant()))
  const made = {
    acc: perTenant(PLANNED_ACCOUNTS.length + 1),
    txn: perTenant(EARLIER + 1),
    hld: perTenant(EARLIER),
    new: perTenant(STEPS),
  }
  const names = new Map<string, string>()
  for (const [kind, lists] of Object.entries(made)) {
    for (const [tenant, list] of lists.entries()) {
      for (const [number, id] of list.entries()) {
        names.set(id, `${kind}${tenant}.${number}`)
        names.set(publicId(kind, id), `${kind}${tenant}.${number}`)
        if (kind === 'new') names.set(publicId('txn', id), `${kind}${tenant}.${number}`)
      }
    }
  }
  for (const [tenant, id] of tenantIds.entries()) names.set(id, `tenant${tenant}`)
  const at = (lists: string[][], tenant: number, number: number) =>
    lists[tenant]?.[number] as string
  const ids: PlanIds = {
    tenantId: (tenant) => tenantIds[tenant] as string,
    account: (tenant, number) => at(made.acc, tenant, number),
    transaction: (tenant, number) => at(made.txn, tenant, number),
    hold: (tenant, number) =>
      number < EARLIER ? at(made.hld, tenant, number) : at(made.new, tenant, number - EARLIER),
    made: (tenant, step) => at(made.new, tenant, step),
  }
  for (const [tenant, tenantId] of tenantIds.entries()) await openSet(ids, tenant, tenantId)
  return { ids, tenantIds, names }
}

async function openSet(ids: PlanIds, tenant: number, tenantId: string): Promise<void> {
  const accounts = PLANNED_ACCOUNTS.map((planned, number) => ({
    accountId: ids.account(tenant, number),
    name: planned.role,
    line: { role: planned.role },
    currency: planned.currency,
    minAvailable: planned.min_available === null ? null : BigInt(planned.min_available),
    maxBalance: planned.max_balance === null ? null : BigInt(planned.max_balance),
    externalId: null,
    metadata: {},
  }))
  const opened = await world.run(
    createAccounts,
    ...accounts.map((one) => world.asked(one, { tenantId })),
  )
  assert.ok(opened.every(({ ok }) => ok))
  await world.asOwner(
    `update ledger.books set closed_through = '2026-11-10' where tenant_id = '${tenantId}'`,
  )
  const asked = { tenantId, requestId: 'req_earlier', at: EARLY }
  const numbers = Array.from({ length: EARLIER }, (_, number) => number)
  const outcomes = await post([
    ...numbers.map((number): LedgerCommand => ({
      ...asked,
      kind: 'post',
      type: 'earlier',
      transactionId: ids.transaction(tenant, number),
      legs: [
        { accountId: ids.account(tenant, 0), currency: 'EUR', amount: 50n },
        { accountId: ids.account(tenant, number === 2 ? 2 : 1), currency: 'EUR', amount: -50n },
      ],
    })),
    ...numbers.map((number): LedgerCommand => ({
      ...asked,
      kind: 'hold',
      holdId: ids.hold(tenant, number),
      debitAccountId: ids.account(tenant, 1),
      creditAccountId: ids.account(tenant, 0),
      currency: 'EUR',
      amount: 20n,
      ...(number === 2 && { expiresAt: LAPSE }),
    })),
  ])
  assert.ok(outcomes.every(({ ok }) => ok))
}

function post(commands: readonly LedgerCommand[]): Promise<Outcome<LedgerResult>[]> {
  return inTransaction(world.database.pools.money, (tx) => postEntries(tx, commands))
}

async function runPlan({ ids }: Set, plan: readonly Plan[], size: number) {
  const commands = plan.map((step, index) => toCommand(step, index, ids))
  const outcomes: Outcome<LedgerResult>[] = []
  for (let from = 0; from < commands.length; from += size) {
    outcomes.push(...(await post(commands.slice(from, from + size))))
  }
  return outcomes
}

/** Without what differs by nature: ids become names, and the time of booking is left out. */
function told(value: unknown, { names }: Set): unknown {
  const text = JSON.stringify(value, (key, member: unknown) => {
    if (key === 'bookedMicros' || key === 'isNew' || key === 'changed') return undefined
    return typeof member === 'bigint' ? `${member}` : member
  })
  const named = text.replaceAll(
    /[0-9a-f]{8}-[0-9a-f-]{27}|[a-z]{3}_[0-9a-z]{26}/g,
    (id) => names.get(id) ?? id,
  )
  return JSON.parse(named)
}

async function stored(set: Set): Promise<unknown> {
  const read = (sql: string) => world.query<object>(sql, [set.tenantIds])
  const rows = [
    await read(`select account_id, debits_posted, credits_posted, debits_pending, credits_pending, forced_floor,
                  last_seq from ledger.balances where tenant_id = any($1)`),
    await read(`select account_id, seq, transaction_id, amount, currency, balance_after, effective_on
                from ledger.entries where tenant_id = any($1)`),
    await read(`select transaction_id, type, amount, currency, entry_count, external_id, dedupe_key, hold_id,
                  reverses_transaction_id, corrects_transaction_id from ledger.transactions where tenant_id = any($1)`),
    await read(`select hold_id, status, amount, posted_amount, released_amount, version, event_sequence
                from ledger.holds where tenant_id = any($1)`),
    await read(`select type, object_id, sequence from platform.events where tenant_id = any($1)`),
  ]
  return rows.map((list) => list.map((row) => JSON.stringify(told(row, set))).toSorted())
}

test('one batch leaves the books that one at a time leaves', { timeout: 110_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(plans, fc.integer({ min: 2, max: STEPS }), async (plan, size) => {
      const [alone, together] = [await givenSet(), await givenSet()]
      const one = told(await runPlan(alone, plan, 1), alone)
      assert.deepEqual(told(await runPlan(together, plan, size), together), one)
      assert.deepEqual(await stored(together), await stored(alone))
      for (const tenantId of [...alone.tenantIds, ...together.tenantIds]) {
        const { violations } = await checkLedger(world.database.pools.report, { tenantId })
        assert.deepEqual(violations, [])
      }
    }),
    { numRuns: 15, endOnFailure: true, ...seeded() },
  )
})

function seeded() {
  const seed = process.env['COUNTINGHOUSE_TEST_SEED']
  return seed === undefined ? {} : { seed: Number(seed) }
}
