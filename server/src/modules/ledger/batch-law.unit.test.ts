import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Outcome } from '../../platform/errors.ts'
import {
  EARLIER,
  PLANNED_ACCOUNTS,
  PLANNED_TENANTS,
  type PlanIds,
  plans,
  toCommand,
} from '../../../test/support/ledger-commands.ts'
import type { BalanceState } from './balance.ts'
import { available } from './balance.ts'
import { decide } from './decide.ts'
import { decideTogether } from './decide-together.ts'
import { restOf } from './decide-hold.ts'
import type { LockedBooks, Original } from './lock-books.ts'
import type {
  BookedTransaction,
  HoldState,
  LedgerCommand,
  LedgerResult,
  Leg,
  Post,
} from './posting.ts'

/**
 * The batch law: deciding commands in one batch gives the outcomes and the books of deciding them
 * one at a time. The store stands for the database: it is read into locked books, and written back.
 */
const SEED = process.env['COUNTINGHOUSE_TEST_SEED']
const settings = {
  numRuns: 1_000,
  ...(SEED !== undefined && { seed: Number(SEED) }),
}

interface Store {
  readonly balances: Map<string, BalanceState>
  readonly holds: Map<string, HoldState>
  readonly booked: BookedTransaction[]
}

const ids: PlanIds = {
  tenantId: (tenant) => `tenant-${tenant}`,
  account: (tenant, number) => uuid(tenant, 'acc', number),
  transaction: (tenant, number) => uuid(tenant, number < EARLIER ? 'old' : 'none', number),
  hold: (tenant, number) =>
    number < EARLIER ? uuid(tenant, 'hold', number) : uuid(tenant, 'new', number - EARLIER),
  made: (tenant, step) => uuid(tenant, 'new', step),
}

// Readable, and of the length of a uuid.
function uuid(tenant: number, kind: string, number: number): string {
  const hex = Buffer.from(`${kind}${number}`).toString('hex').padEnd(12, '0').slice(0, 12)
  return `00000000-0000-7000-800${tenant}-${hex}`
}

function givenStore(): Store {
  const store: Store = { balances: new Map(), holds: new Map(), booked: [] }
  for (let tenant = 0; tenant < PLANNED_TENANTS; tenant += 1) {
    for (const [
      number,
      { role, currency, min_available: min, max_balance: max },
    ] of PLANNED_ACCOUNTS.entries()) {
      const state: BalanceState = {
        tenantId: ids.tenantId(tenant),
        accountId: ids.account(tenant, number),
        currency,
        normalSide: role === 'bank' ? 'debit' : 'credit',
        chartRole: 'customer_funds',
        status: 'open',
        blocked: 'none',
        minAvailable: min === null ? null : BigInt(min),
        maxBalance: max === null ? null : BigInt(max),
        forcedFloor: null,
        debitsPosted: 0n,
        creditsPosted: 0n,
        debitsPending: 0n,
        creditsPending: 0n,
        readSeq: 0n,
        lastSeq: 0n,
        lastBookedMicros: 0n,
        booked: false,
        changed: false,
      }
      store.balances.set(`${state.tenantId} ${state.accountId}`, state)
    }
  }
  run(store, earlierWork(), 1)
  return store
}

/** Three transactions and three holds of each tenant; the last hold has run out by the plan's time. */
function earlierWork(): LedgerCommand[] {
  const numbers = Array.from({ length: EARLIER }, (_, number) => number)
  return Array.from({ length: PLANNED_TENANTS }, (_, tenant) => {
    const asked = {
      tenantId: ids.tenantId(tenant),
      requestId: 'req_earlier',
      at: new Date('2026-11-21T12:00:00Z'),
    }
    const posts = numbers.map((number): LedgerCommand => ({
      ...asked,
      kind: 'post',
      type: 'earlier',
      transactionId: ids.transaction(tenant, number),
      legs: legsOf(tenant, 0, number === 2 ? 2 : 1, 50n),
    }))
    const holds = numbers.map((number): LedgerCommand => ({
      ...asked,
      kind: 'hold',
      holdId: ids.hold(tenant, number),
      debitAccountId: ids.account(tenant, 1),
      creditAccountId: ids.account(tenant, 0),
      currency: 'EUR',
      amount: 20n,
      ...(number === 2 && { expiresAt: new Date('2026-11-22T12:00:00Z') }),
    }))
    return [...posts, ...holds]
  }).flat()
}

function legsOf(tenant: number, from: number, to: number, amount: bigint): Leg[] {
  return [
    { accountId: ids.account(tenant, from), currency: 'EUR', amount },
    { accountId: ids.account(tenant, to), currency: 'EUR', amount: -amount },
  ]
}

/** Runs commands `size` at a time: each batch reads the store and writes it back. */
function run(
  store: Store,
  commands: readonly LedgerCommand[],
  size: number,
): Outcome<LedgerResult>[] {
  const outcomes: Outcome<LedgerResult>[] = []
  for (let from = 0; from < commands.length; from += size) {
    const books = readStore(store)
    outcomes.push(...commands.slice(from, from + size).map((command) => decide(books, command)))
    writeStore(store, books)
  }
  return outcomes
}

function readStore({ balances, holds, booked }: Store): LockedBooks {
  const reversed = new Set(booked.map(({ tenantId, reverses }) => `${tenantId} ${reverses}`))
  const names = (key: 'externalId' | 'dedupeKey') =>
    new Map(
      booked.flatMap((one) =>
        one[key] === null ? [] : [[`${one.tenantId} ${one[key]}`, one.transactionId]],
      ),
    )
  const nameOf = (one: BookedTransaction) => `${one.tenantId} ${one.transactionId}`
  return {
    balances: new Map(
      [...balances].map(([name, state]) => [
        name,
        { ...state, readSeq: state.lastSeq, booked: false, changed: false },
      ]),
    ),
    books: new Map(
      Array.from({ length: PLANNED_TENANTS }, (_, tenant) => [
        ids.tenantId(tenant),
        { timeZone: 'UTC', closedThrough: '2026-11-10' },
      ]),
    ),
    holds: new Map(
      [...holds].map(([name, hold]) => [name, { ...hold, isNew: false, changed: false }]),
    ),
    originals: new Map(
      booked.map((one): [string, Original] => [
        nameOf(one),
        {
          type: one.type,
          effectiveOn: one.effectiveOn,
          correlationId: one.correlationId,
          reverses: one.reverses,
          legs: one.entries.map(({ accountId, currency, amount }) => ({
            accountId,
            currency,
            amount,
          })),
          module: null,
          reversed: reversed.has(nameOf(one)),
        },
      ]),
    ),
    corrected: new Set(booked.map(nameOf)),
    byExternalId: names('externalId'),
    byDedupeKey: names('dedupeKey'),
    bookedMicros: 1n,
    booked: [],
    holdChanges: [],
  }
}

function writeStore(store: Store, books: LockedBooks): void {
  for (const [name, state] of books.balances) store.balances.set(name, state)
  for (const [name, hold] of books.holds) store.holds.set(name, hold)
  store.booked.push(...books.booked)
}

/** What the database would show. */
function shown({ balances, holds, booked }: Store) {
  return {
    balances: [...balances.values()].map(
      ({ readSeq: _read, booked: _booked, changed: _changed, ...state }) => state,
    ),
    holds: [...holds.values()].map(({ isNew: _new, changed: _changed, ...hold }) => hold),
    booked,
  }
}

/** Outcomes without the marks by which a batch knows what to write. */
function told(outcomes: readonly Outcome<LedgerResult>[]) {
  return outcomes.map((outcome) => {
    if (!outcome.ok || outcome.value.hold === undefined) return outcome
    const { isNew: _new, changed: _changed, ...hold } = outcome.value.hold
    return { ok: true, value: { ...outcome.value, hold } }
  })
}

test('one batch decides as one at a time does', () => {
  fc.assert(
    fc.property(plans, fc.integer({ min: 2, max: 14 }), (plan, size) => {
      const commands = plan.map((step, index) => toCommand(step, index, ids))
      const [alone, together] = [givenStore(), givenStore()]
      assert.deepEqual(told(run(together, commands, size)), told(run(alone, commands, 1)))
      assert.deepEqual(shown(together), shown(alone))
    }),
    settings,
  )
})

test('whatever is decided, the books balance, the numbers chain and no limit is crossed unforced', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const store = givenStore()
      run(
        store,
        plan.map((step, index) => toCommand(step, index, ids)),
        14,
      )
      const net = new Map<string, bigint>()
      for (const { tenantId, currency, debitsPosted, creditsPosted } of store.balances.values()) {
        const name = `${tenantId} ${currency}`
        net.set(name, (net.get(name) ?? 0n) + debitsPosted - creditsPosted)
      }
      for (const [name, sum] of net) assert.equal(sum, 0n, name)
      for (const state of store.balances.values()) {
        const entries = store.booked
          .filter(({ tenantId }) => tenantId === state.tenantId)
          .flatMap((one) => one.entries.filter(({ accountId }) => accountId === state.accountId))
        let balance = 0n
        for (const [index, entry] of entries.entries()) {
          balance += entry.amount
          assert.deepEqual([entry.seq, entry.balanceAfter], [BigInt(index + 1), balance])
        }
        assert.equal(state.lastSeq, BigInt(entries.length))
        const floor = state.forcedFloor ?? state.minAvailable
        if (floor !== null) assert.ok(available(state) >= floor)
        assert.equal(state.debitsPending, restOn(store, state, 'debitAccountId'))
        assert.equal(state.creditsPending, restOn(store, state, 'creditAccountId'))
      }
    }),
    settings,
  )
})

function restOn(
  store: Store,
  { accountId }: BalanceState,
  side: 'debitAccountId' | 'creditAccountId',
) {
  return [...store.holds.values()]
    .filter((hold) => hold[side] === accountId && hold.status === 'pending')
    .reduce((sum, hold) => sum + restOf(hold), 0n)
}

test('a group is booked as its items would be one by one, or leaves the books as they were', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const posts = plan
        .map((step, index) => toCommand(step, index, ids))
        .filter((command): command is Post => command.kind === 'post')
      const [group, singles, untouched] = [givenStore(), givenStore(), givenStore()]
      const books = readStore(group)
      const outcomes = decideTogether(books, posts)
      const names = [new Map(books.byExternalId), new Map(books.byDedupeKey)]
      writeStore(group, books)
      const alone = run(singles, posts, 1)
      if (alone.every(({ ok }) => ok)) {
        assert.deepEqual(outcomes, alone)
        assert.deepEqual(shown(group), shown(singles))
        return
      }
      const culprit = alone.findIndex(({ ok }) => !ok)
      for (const [index, outcome] of outcomes.entries()) {
        if (index === culprit) assert.deepEqual(outcome, alone[index])
        else assert.equal(outcome.ok ? 'ok' : outcome.refusal.code, 'group_refused')
      }
      assert.deepEqual(shown(group), shown(untouched))
      const before = readStore(untouched)
      assert.deepEqual(names, [before.byExternalId, before.byDedupeKey])
    }),
    settings,
  )
})

test('the plans reach every kind of outcome', () => {
  const seen = new Map<string, number>()
  for (const plan of fc.sample(plans, { numRuns: 1_500, seed: 7 })) {
    const commands = plan.map((step, index) => toCommand(step, index, ids))
    for (const outcome of run(givenStore(), commands, 14)) {
      const code = outcome.ok ? 'ok' : outcome.refusal.code
      seen.set(code, (seen.get(code) ?? 0) + 1)
    }
  }
  const expected = [
    'ok',
    'unbalanced',
    'account_not_found',
    'currency_mismatch',
    'insufficient_funds',
    'balance_limit_exceeded',
    'effective_date_out_of_range',
    'period_closed',
    'external_id_taken',
    'version_mismatch',
    'corrected_transaction_not_found',
    'already_reversed',
    'transaction_not_found',
    'hold_accounts_equal',
    'hold_amount_exceeded',
    'hold_entries_mismatch',
    'hold_not_found',
    'hold_not_pending',
    'hold_expired',
    'hold_not_expired',
  ]
  assert.deepEqual(
    expected.filter((code) => !seen.has(code)),
    [],
  )
})
