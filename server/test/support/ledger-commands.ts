import fc from 'fast-check'
import type { LedgerCommand, Leg, Post } from '../../src/modules/ledger/index.ts'

/**
 * Random work for the ledger, told without ids: accounts, earlier transactions and holds are numbers
 * that a test maps onto what it has set up. The same plan can so be run twice, on two sets of books.
 */
export interface Plan {
  readonly tenant: number
  readonly act: Act
}

type Act =
  | {
      readonly kind: 'post'
      readonly legs: readonly {
        readonly account: number
        readonly amount: number
        readonly foreign: boolean
      }[]
      readonly externalId: string | undefined
      readonly dedupeKey: string | undefined
      readonly force: boolean
      readonly expected: number | undefined
      readonly day: string | undefined
      readonly ifClosed: 'refuse' | 'next_open' | undefined
      readonly corrects: number | undefined
    }
  | { readonly kind: 'reverse'; readonly of: number; readonly original: boolean }
  | {
      readonly kind: 'hold'
      readonly debit: number
      readonly credit: number
      readonly amount: number
      readonly lapsed: boolean
    }
  | {
      readonly kind: 'post_hold'
      readonly hold: number
      readonly amount: number | undefined
      readonly final: boolean
      readonly split: boolean
    }
  | { readonly kind: 'increase_hold'; readonly hold: number; readonly amount: number }
  | { readonly kind: 'void_hold' | 'expire_hold'; readonly hold: number }

/** Accounts of each tenant, by number: what is needed to meet every refusal. */
export const PLANNED_ACCOUNTS = [
  { role: 'bank', currency: 'EUR', min_available: null, max_balance: null },
  { role: 'customer_funds', currency: 'EUR', min_available: 0, max_balance: null },
  { role: 'customer_funds', currency: 'EUR', min_available: -30, max_balance: 120 },
  { role: 'fee_income', currency: 'EUR', min_available: null, max_balance: null },
  { role: 'customer_funds', currency: 'USD', min_available: null, max_balance: null },
] as const

export const PLANNED_TENANTS = 2
/** Transactions and holds of each tenant that exist before the plan; higher numbers exist nowhere. */
export const EARLIER = 3

const account = fc.nat(PLANNED_ACCOUNTS.length) // one more than there are
const amount = fc.integer({ min: 1, max: 60 })
const earlier = fc.nat(EARLIER)

const pair = fc
  .record({ from: account, to: account, amount, off: fc.nat(14), foreign: fc.nat(14) })
  .map(({ from, to, amount: moved, off, foreign }) => [
    { account: from, amount: moved, foreign: foreign === 0 },
    { account: to, amount: -moved + (off === 0 ? 1 : 0), foreign: foreign === 0 },
  ])
const triple = fc
  .record({ from: account, to: account, third: account, amount })
  .map(({ from, to, third, amount: moved }) => [
    { account: from, amount: moved + 5, foreign: false },
    { account: to, amount: -moved, foreign: false },
    { account: third, amount: -5, foreign: false },
  ])

const post = fc.record({
  kind: fc.constant('post' as const),
  legs: fc.oneof({ weight: 6, arbitrary: pair }, { weight: 2, arbitrary: triple }),
  externalId: sometimes(fc.constantFrom('one', 'two', 'three'), 4),
  dedupeKey: sometimes(fc.constantFrom('d1', 'd2'), 6),
  force: fc.nat(7).map((roll) => roll === 0),
  expected: sometimes(fc.nat(6), 8),
  day: sometimes(fc.constantFrom('2026-11-01', '2026-11-20', '2026-11-28', '2026-12-24'), 6),
  ifClosed: sometimes(fc.constantFrom('refuse' as const, 'next_open' as const), 3),
  corrects: sometimes(earlier, 10),
})
const hold = fc.record({
  kind: fc.constant('hold' as const),
  debit: account,
  credit: account,
  amount,
  lapsed: fc.nat(9).map((roll) => roll === 0),
})
// Half of the hold commands go to holds that the plan itself opens.
const anyHold = fc.oneof(earlier, fc.nat(12))
const holdAct = fc.oneof(
  fc.record({
    kind: fc.constant('post_hold' as const),
    hold: anyHold,
    amount: sometimes(amount, 2),
    final: fc.boolean(),
    split: fc.nat(3).map((roll) => roll === 0),
  }),
  fc.record({ kind: fc.constant('increase_hold' as const), hold: anyHold, amount }),
  fc.record({ kind: fc.constantFrom('void_hold' as const, 'expire_hold' as const), hold: anyHold }),
)
const reverse = fc.record({
  kind: fc.constant('reverse' as const),
  of: earlier,
  original: fc.boolean(),
})

export const plans: fc.Arbitrary<Plan[]> = fc.array(
  fc.record({
    tenant: fc.nat(PLANNED_TENANTS - 1),
    act: fc.oneof(
      { weight: 6, arbitrary: post },
      { weight: 3, arbitrary: hold },
      { weight: 4, arbitrary: holdAct },
      { weight: 2, arbitrary: reverse },
    ),
  }),
  { minLength: 1, maxLength: 14 },
)

function sometimes<Value>(
  arbitrary: fc.Arbitrary<Value>,
  oneIn: number,
): fc.Arbitrary<Value | undefined> {
  return fc.oneof(
    { weight: oneIn - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary },
  )
}

/** Where the numbers of a plan lead, per tenant; the functions answer an unknown id beyond the end. */
export interface PlanIds {
  tenantId(tenant: number): string
  account(tenant: number, number: number): string
  transaction(tenant: number, number: number): string
  /** Holds that exist, then the id of the hold that step `number` opens. */
  hold(tenant: number, number: number): string
  /** The id of what step `step` makes. */
  made(tenant: number, step: number): string
}

export const PLANNED_AT = new Date('2026-11-23T12:00:00Z')

export function toCommand({ tenant, act }: Plan, step: number, ids: PlanIds): LedgerCommand {
  const asked = { tenantId: ids.tenantId(tenant), requestId: 'req_plan', at: PLANNED_AT }
  const transactionId = ids.made(tenant, step)
  switch (act.kind) {
    case 'post':
      return toPost(act, { ...asked, transactionId }, tenant, ids)
    case 'reverse':
      return {
        ...asked,
        kind: 'reverse',
        transactionId,
        reverses: ids.transaction(tenant, act.of),
        ...(act.original && { effectiveOn: 'original' as const }),
      }
    case 'hold':
      return {
        ...asked,
        kind: 'hold',
        holdId: transactionId,
        debitAccountId: ids.account(tenant, act.debit),
        creditAccountId: ids.account(tenant, act.credit),
        currency: currencyOf(act.debit),
        amount: BigInt(act.amount),
        ...(act.lapsed && { expiresAt: PLANNED_AT }),
      }
    case 'post_hold': {
      const asks = act.amount === undefined ? {} : { amount: BigInt(act.amount) }
      return {
        ...asked,
        ...asks,
        kind: 'post_hold',
        type: 'planned_hold',
        holdId: ids.hold(tenant, act.hold),
        transactionId,
        final: act.final,
        ...(act.split && act.amount !== undefined && { legs: split(ids, tenant, act.amount) }),
      }
    }
    case 'increase_hold':
      return {
        ...asked,
        kind: 'increase_hold',
        holdId: ids.hold(tenant, act.hold),
        amount: BigInt(act.amount),
      }
    case 'void_hold':
    case 'expire_hold':
      return { ...asked, kind: act.kind, holdId: ids.hold(tenant, act.hold) }
  }
}

// The earlier holds debit account 1 and credit account 0; one unit goes to the fees.
function split(ids: PlanIds, tenant: number, taken: number): Leg[] {
  const leg = (number: number, moved: number) => ({
    accountId: ids.account(tenant, number),
    currency: 'EUR',
    amount: BigInt(moved),
  })
  if (taken === 1) return [leg(1, 1), leg(3, -1)]
  return [leg(1, taken), leg(0, 1 - taken), leg(3, -1)]
}

function toPost(
  act: Extract<Act, { kind: 'post' }>,
  asked: Pick<Post, 'tenantId' | 'requestId' | 'at' | 'transactionId'>,
  tenant: number,
  ids: PlanIds,
): Post {
  const legs = act.legs.map((leg): Leg => ({
    accountId: ids.account(tenant, leg.account),
    currency: leg.foreign ? 'USD' : currencyOf(leg.account),
    amount: BigInt(leg.amount === 0 ? 1 : leg.amount),
  }))
  const first = legs[0] as Leg
  return {
    ...asked,
    kind: 'post',
    type: 'planned',
    legs,
    force: act.force,
    ...(act.externalId !== undefined && { externalId: act.externalId }),
    ...(act.dedupeKey !== undefined && { dedupeKey: act.dedupeKey }),
    ...(act.day !== undefined && { effectiveOn: act.day }),
    ...(act.ifClosed !== undefined && { ifClosed: act.ifClosed }),
    ...(act.corrects !== undefined && { corrects: ids.transaction(tenant, act.corrects) }),
    ...(act.expected !== undefined && {
      expectedVersions: new Map([[first.accountId, BigInt(act.expected)]]),
    }),
  }
}

function currencyOf(number: number): string {
  return PLANNED_ACCOUNTS[number]?.currency ?? 'EUR'
}
