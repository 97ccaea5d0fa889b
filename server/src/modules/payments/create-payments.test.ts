import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../platform/ids.ts'
import { type PaymentsWorld, createPaymentsWorld } from '../../../test/support/payments-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { createPayments } from './create-payments.ts'
import { findPayment } from './payment.queries.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

test('a book payment moves the money in the same transaction', async () => {
  const { home, balanceOf } = world
  const before = await balanceOf(home.bob)
  const payment = await world.create(world.book({ amount: 250n }))
  assert.equal(payment.state, 'completed')
  assert.equal((await balanceOf(home.bob)) - before, 250n)
  assert.deepEqual((await world.stored(payment.id)).ledger_transaction_ids.length, 1)
})

test('a card payment waits for its gateway with one attempt due', async () => {
  const payment = await world.create(world.card())
  assert.equal(payment.state, 'pending')
  const claimed = await world.claim()
  assert.ok(claimed.some((attempt) => attempt.payment_id === payment.id))
  assert.equal(payment.latest_attempt_id, claimed.find((row) => row.payment_id === payment.id)?.id)
})

test('a refused payment leaves its neighbours in the batch accepted and writes nothing', async () => {
  const { ask, book } = world
  const tooMuch = book({ amount: 10n ** 12n })
  const outcomes = await world.run(
    createPayments,
    ask(book({ amount: 1n })),
    ask(tooMuch),
    ask(book({ amount: 2n })),
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'insufficient_funds', 'ok'])
  assert.equal(await findPayment(world.db, world.home.tenantId, tooMuch.id), undefined)
})

test('several payments in one batch cannot spend the same money', async () => {
  const { ask, book, home, balanceOf } = world
  const available = await balanceOf(home.alice)
  const half = available / 2n + 1n
  const outcomes = await world.run(
    createPayments,
    ask(book({ amount: half })),
    ask(book({ amount: half })),
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'insufficient_funds'])
  assert.equal(await balanceOf(home.alice), available - half)
})

test('an external id is taken once per tenant, also within a batch', async () => {
  const { ask, card, abroad } = world
  const externalId = `inv-${newId(new Date())}`
  const first = await world.run(
    createPayments,
    ask(card({ externalId })),
    ask(card({ externalId })),
    ask(card({ externalId }, abroad), { world: abroad }),
  )
  assert.deepEqual(verdicts(first), ['ok', 'payment_external_id_taken', 'ok'])
  const later = await world.run(createPayments, ask(card({ externalId })))
  assert.deepEqual(verdicts(later), ['payment_external_id_taken'])
})

test('an external id whose payment was refused is free again', async () => {
  const { ask, book, card } = world
  const externalId = `inv-${newId(new Date())}`
  const outcomes = await world.run(
    createPayments,
    ask(book({ externalId, amount: 10n ** 12n })),
    ask(card({ externalId })),
  )
  assert.deepEqual(verdicts(outcomes), ['insufficient_funds', 'ok'])
})

test("another tenant's account is no account, as recipient and as source", async () => {
  const { ask, book, card, abroad } = world
  const outcomes = await world.run(
    createPayments,
    ask(card({ recipientAccountId: abroad.bob })),
    ask(book({ recipientAccountId: abroad.bob })),
    ask(book({ sourceAccountId: abroad.alice })),
  )
  assert.deepEqual(verdicts(outcomes), [
    'recipient_not_found',
    'recipient_not_found',
    'source_not_found',
  ])
})

test('the accounts that the books keep for themselves are neither paid from nor to', async () => {
  const { ask, book, card, home } = world
  const { rows } = await world.pools.read.query<{ account_id: string }>(
    `select account_id from ledger.accounts where tenant_id = '${home.tenantId}' and key = 'bank'`,
  )
  const bank = rows[0]?.account_id as string
  const outcomes = await world.run(
    createPayments,
    ask(book({ sourceAccountId: bank })),
    ask(book({ recipientAccountId: bank })),
    ask(card({ recipientAccountId: bank })),
  )
  assert.deepEqual(verdicts(outcomes), [
    'account_not_payable',
    'account_not_payable',
    'account_not_payable',
  ])
})

test('a payment in another currency than its accounts is refused', async () => {
  const { ask, book, card } = world
  const outcomes = await world.run(
    createPayments,
    ask(card({ currency: 'USD' })),
    ask(book({ currency: 'USD' })),
  )
  assert.deepEqual(verdicts(outcomes), ['recipient_currency_mismatch', 'currency_mismatch'])
})

test('a card payment without recipient goes to the operating account, if there is one', async () => {
  const { ask, card, home } = world
  const outcomes = await world.run(
    createPayments,
    ask(card({ recipientAccountId: null })),
    ask(card({ recipientAccountId: null, currency: 'JPY' })),
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'recipient_required'])
  assert.equal(outcomes[0]?.ok === true && outcomes[0].value.recipient_account_id, home.operating)
})
