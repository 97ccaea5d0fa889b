import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { newId } from '../../platform/ids.ts'
import {
  type PaymentsWorld,
  createPaymentsWorld,
  succeeded,
} from '../../../test/support/payments-world.ts'
import type { ClaimedAttempt } from './attempt.queries.ts'
import { cancelPayments } from './cancel-payments.ts'
import { capturePayments } from './capture-payments.ts'
import { failureOf } from './connectors/failure-codes.ts'
import { createRefunds } from './create-refunds.ts'
import { expireAuthorizations } from './expire-authorizations.ts'
import { type GatewayReply, recordReplies } from './record-replies.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

const AMOUNT = 100n
const DAY_MS = 86_400_000

type Step =
  | { readonly do: 'capture'; readonly amount: bigint; readonly final: boolean }
  | { readonly do: 'refund'; readonly amount: bigint }
  | { readonly do: 'cancel' }
  | { readonly do: 'expire' }
  | { readonly do: 'answer'; readonly with: Word }
type Word = 'succeeded' | 'declined' | 'unknown' | 'pending' | 'not_sent'

const amount = fc.bigInt({ min: 1n, max: 120n })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('capture'), amount, final: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('refund'), amount }) },
  { weight: 1, arbitrary: fc.constant({ do: 'cancel' }) },
  { weight: 1, arbitrary: fc.constant({ do: 'expire' }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('answer'),
      with: fc.constantFrom('succeeded', 'declined', 'unknown', 'pending', 'not_sent'),
    }),
  },
)

test('whatever happens to a payment, its amounts stay in order and the books agree', async () => {
  const story = fc.asyncProperty(
    fc.constantFrom('automatic' as const, 'manual' as const),
    fc.array(step, { minLength: 3, maxLength: 14 }),
    async (captureMethod, steps) => {
      const before = await books()
      const { id } = await world.create(world.card({ amount: AMOUNT, captureMethod }))
      // Time only moves on: each look is later than what the schedule may have put off.
      let now = Date.now()
      for (const one of steps) {
        now += DAY_MS / 12
        await take(id, one, new Date(now))
        await amountsAreInOrder(id)
      }
      // Everything that waits is answered, by yes: the clearing accounts must return to zero.
      for (let round = 0; round < 20; round += 1) {
        now += DAY_MS / 12
        const open = await mine(id, new Date(now))
        if (open.length === 0) break
        for (const attempt of open) await answer(attempt, 'succeeded', new Date(now))
      }
      const end = await world.stored(id)
      const after = await books()
      if (end.state === 'needs_review') return
      assert.equal(end.capture_reserved + end.refund_reserved, 0n)
      assert.equal(after.bob - before.bob, end.amount_captured - end.amount_refunded)
      assert.equal(after.clearing - before.clearing, end.amount_captured - end.amount_refunded)
      assert.equal(after.payable, before.payable)
    },
  )
  await fc.assert(story, { numRuns: 40, interruptAfterTimeLimit: 60_000 })
})

async function take(id: string, one: Step, at: Date): Promise<void> {
  switch (one.do) {
    case 'capture': {
      const order = { captureId: newId(at), paymentId: id, amount: one.amount, final: one.final }
      await world.run(capturePayments, world.ask(order, { at }))
      return
    }
    case 'refund': {
      const order = {
        refundId: newId(at),
        paymentId: id,
        amount: one.amount,
        reason: 'other',
        description: null,
        externalId: null,
        metadata: {},
      } as const
      await world.run(createRefunds, world.ask(order, { at }))
      return
    }
    case 'cancel':
      await world.run(cancelPayments, world.ask({ paymentId: id, reason: null }, { at }))
      return
    case 'expire':
      await world.run(expireAuthorizations, world.ask({ paymentId: id }, { at }))
      return
    case 'answer':
      for (const attempt of await mine(id, at)) await answer(attempt, one.with, at)
  }
}

async function mine(id: string, now: Date): Promise<ClaimedAttempt[]> {
  await world.pools.money.query(
    `update payments.attempts set lease_until = null where payment_id = '${id}'`,
  )
  return (await world.claim(world.home, now)).filter((attempt) => attempt.payment_id === id)
}

async function answer(attempt: ClaimedAttempt, word: Word, at: Date): Promise<void> {
  const reply: GatewayReply =
    word === 'succeeded'
      ? succeeded(attempt)
      : word === 'declined'
        ? { sent: true, outcome: { kind: word, failure: failureOf('card_declined'), raw: {} } }
        : word === 'pending'
          ? { sent: true, outcome: { kind: word, raw: {} } }
          : { sent: true, outcome: { kind: word, cause: 'chance' } }
  await world.run(recordReplies, world.ask({ attempt, reply }, { at }))
}

async function amountsAreInOrder(id: string): Promise<void> {
  const row = await world.stored(id)
  assert.ok(row.amount_refunded + row.refund_reserved <= row.amount_captured)
  assert.ok(row.amount_captured + row.capture_reserved <= row.amount_authorized)
  assert.ok(row.amount_authorized <= row.amount)
  for (const reserved of [row.capture_reserved, row.refund_reserved]) assert.ok(reserved >= 0n)
}

/** Bob's funds, what the gateway owes, what is set aside for refunds; and that all is balanced. */
async function books(): Promise<{ bob: bigint; clearing: bigint; payable: bigint }> {
  const { rows } = await world.pools.read.query<{ key: string; net: bigint }>(
    `select a.key, b.debits_posted - b.credits_posted as net
     from ledger.accounts a join ledger.balances b using (tenant_id, account_id)
     where a.tenant_id = '${world.home.tenantId}'`,
  )
  const net = (key: string) => rows.find((row) => row.key === key)?.net ?? 0n
  assert.equal(
    rows.reduce((sum, row) => sum + row.net, 0n),
    0n,
  )
  return {
    bob: -net('bob'),
    clearing: net('gateway_clearing:sandbox:EUR'),
    payable: net('refunds_payable:EUR'),
  }
}
