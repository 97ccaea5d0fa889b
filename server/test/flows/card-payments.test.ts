import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startServiceForTests()
})
after(() => service.close())

const card = (token: string, more: object = {}) => ({
  amount: 10_000,
  currency: 'EUR',
  payment_method: { type: 'card', card: { token } },
  recipient: { type: 'account', account_id: service.accounts.customer_a },
  ...more,
})

async function pay(token: string, more: object = {}) {
  const { status, body } = await service.call('POST', '/payments', { body: card(token, more) })
  assert.equal(status, 201, JSON.stringify(body))
  return body
}

async function settled(id: unknown, path = 'payments') {
  const { status, body } = await service.call('GET', `/${path}/${String(id)}`, {
    headers: { prefer: 'wait=20' },
  })
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

test('a card payment is pending at first and completed within two seconds', async () => {
  const began = Date.now()
  const made = await pay('tok_visa')
  assert.equal(made['status'], 'pending')
  const done = await settled(made['id'])
  assert.equal(done['status'], 'completed')
  assert.equal(done['amount_captured'], 10_000)
  assert.equal((done['ledger_transaction_ids'] as string[]).length, 1)
  assert.ok(Date.now() - began < 2_000)
})

test('a declined card fails with the reason and moves nothing', async () => {
  const done = await settled((await pay('tok_declined'))['id'])
  assert.equal(done['status'], 'failed')
  assert.equal((done['failure'] as { code: string }).code, 'card_declined')
  assert.equal(done['amount_captured'], 0)
})

test('partial refunds sum up to the whole, and not a unit more', async () => {
  const { id } = await settled((await pay('tok_visa'))['id'])
  const refund = (body: object) => service.call('POST', `/payments/${String(id)}/refunds`, { body })
  const first = await refund({ amount: 2_500 })
  assert.equal(first.status, 201, JSON.stringify(first.body))
  assert.equal((await settled(first.body['id'], 'refunds'))['status'], 'completed')
  assert.equal((await settled(id))['status'], 'partially_refunded')
  const tooMuch = await refund({ amount: 7_501 })
  assert.equal(tooMuch.status, 422)
  assert.equal(tooMuch.body['code'], 'refund_exceeds_refundable')
  assert.equal(tooMuch.body['refundable'], 7_500)
  const rest = await refund({})
  assert.equal(rest.body['amount'], 7_500)
  assert.equal((await settled(rest.body['id'], 'refunds'))['status'], 'completed')
  assert.equal((await settled(id))['status'], 'refunded')
})

test('an authorized payment is captured in parts and completed by the final one', async () => {
  const { id } = await pay('tok_visa', { capture_method: 'manual' })
  const authorized = await reached(id, 'authorized')
  assert.equal(authorized['amount_capturable'], 10_000)
  const part = await service.call('POST', `/payments/${String(id)}/capture`, {
    body: { amount: 3_000, final: false },
  })
  assert.equal(part.status, 202, JSON.stringify(part.body))
  await until(async () => (await read(id))['amount_captured'] === 3_000)
  assert.equal((await read(id))['status'], 'authorized')
  await service.call('POST', `/payments/${String(id)}/capture`, { body: { amount: 6_000 } })
  const done = await reached(id, 'completed')
  assert.equal(done['amount_captured'], 9_000)
})

test('an authorized payment that is canceled is voided at the gateway', async () => {
  const { id } = await pay('tok_visa', { capture_method: 'manual' })
  await reached(id, 'authorized')
  const asked = await service.call('POST', `/payments/${String(id)}/cancel`, {
    body: { reason: 'changed my mind' },
  })
  assert.equal(asked.status, 200, JSON.stringify(asked.body))
  assert.equal((await reached(id, 'canceled'))['cancellation_reason'], 'changed my mind')
})

test('a reply that was swallowed after the money moved is found by asking, not by paying again', async () => {
  const { id } = await pay('tok_unknown_done')
  const done = await settled(id)
  assert.equal(done['status'], 'completed')
  const moved = await service.gateway.moved()
  assert.equal(moved.filter((key) => key === done['latest_attempt']).length, 1)
})

test('a refund that settles later is pending at first', async () => {
  const { id } = await settled((await pay('tok_refund_pending'))['id'])
  const refund = await service.call('POST', `/payments/${String(id)}/refunds`, { body: {} })
  await until(async () => {
    const now = await service.call('GET', `/refunds/${String(refund.body['id'])}`)
    return now.body['status'] === 'processing'
  })
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await service.call('POST', `/payments/${String(id)}/refresh`)
  assert.equal((await settled(refund.body['id'], 'refunds'))['status'], 'completed')
})

async function read(id: unknown) {
  return (await service.call('GET', `/payments/${String(id)}`)).body
}

async function reached(id: unknown, status: string) {
  await until(async () => (await read(id))['status'] === status)
  return read(id)
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await isTrue()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  assert.fail('it did not come true within 5 s')
}
