import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startServiceForTests()
})
after(() => service.close())

const card = (amount: number) => ({
  amount,
  currency: 'EUR',
  payment_method: { type: 'card', card: { token: 'tok_visa' } },
})

test('a hundred parallel posts under one key: one payment, one charge, equal answers', async () => {
  const post = () => service.call('POST', '/payments', { body: card(7_777), key: 'one-key' })
  const answers = await Promise.all(Array.from({ length: 100 }, post))
  const again = await Promise.all(Array.from({ length: 50 }, post))
  const [first] = answers
  for (const answer of [...answers, ...again]) {
    assert.equal(answer.status, 201)
    assert.deepEqual(answer.body, first?.body)
  }
  for (const { headers } of again) assert.equal(headers.get('idempotent-replayed'), 'true')

  const id = String(first?.body['id'])
  await service.call('GET', `/payments/${id}`, { headers: { prefer: 'wait=10' } })
  const { body } = await service.call('GET', '/payments?amount[gte]=7777&amount[lte]=7777')
  assert.equal((body['data'] as unknown[]).length, 1)
  const journal = await service.gateway.journal()
  const charges = journal.filter((entry) => 'amount' in entry && entry.amount === 7_777)
  assert.equal(charges.length, 1)
})

test('the same key for another body, another route or another query is refused', async () => {
  const key = 'reused'
  const { body } = await service.call('POST', '/payments', { body: card(100), key })
  const id = String(body['id'])
  for (const [path, other] of [
    ['/payments', card(101)],
    [`/payments/${id}/refunds`, {}],
    [`/payments/${id}/capture`, {}],
  ] as const) {
    const reused = await service.call('POST', path, { body: other, key })
    assert.equal(reused.status, 422, path)
    assert.equal(reused.body['code'], 'idempotency_key_reused')
  }
  const sorted = { payment_method: card(100).payment_method, currency: 'EUR', amount: 100 }
  const same = await service.call('POST', '/payments', { body: sorted, key })
  assert.equal(same.body['id'], id)
})

test('quoted and bare are one key; two header lines are refused', async () => {
  const first = await service.call('POST', '/payments', { body: card(100), key: 'quoted-or-not' })
  const quoted = await service.call('POST', '/payments', {
    body: card(100),
    key: '"quoted-or-not"',
  })
  assert.equal(quoted.body['id'], first.body['id'])
  const doubled = await service.call('POST', '/payments', { body: card(100), key: 'k1, k1' })
  assert.equal(doubled.body['code'], 'idempotency_key_invalid')
})

test('another client with the same key has its own operation', async () => {
  const key = 'shared-by-chance'
  const mine = await service.call('POST', '/payments', { body: card(100), key })
  const theirs = await service.call('POST', '/payments', {
    body: card(100),
    key,
    token: service.tokens.stranger,
  })
  assert.equal(theirs.status, 201)
  assert.notEqual(theirs.body['id'], mine.body['id'])
})

test('a stored refusal stays: to try again one sends a new key', async () => {
  const { customer_a, customer_b } = service.accounts
  const body = {
    amount: 900_000_000,
    currency: 'EUR',
    payment_method: { type: 'book' },
    source: { account_id: customer_a },
    recipient: { type: 'account', account_id: customer_b },
  }
  const first = await service.call('POST', '/payments', { body, key: 'too-much' })
  assert.equal(first.status, 422)
  assert.equal(first.body['code'], 'insufficient_funds')
  const again = await service.call('POST', '/payments', { body, key: 'too-much' })
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  assert.deepEqual(again.body, first.body)
})

test('a hundred parallel refunds of 60 on a captured 100: exactly one succeeds', async () => {
  const { body } = await service.call('POST', '/payments', {
    body: card(100),
    headers: { prefer: 'wait=10' },
  })
  assert.equal(body['status'], 'completed')
  const answers = await Promise.all(
    Array.from({ length: 100 }, () =>
      service.call('POST', `/payments/${String(body['id'])}/refunds`, { body: { amount: 60 } }),
    ),
  )
  assert.equal(answers.filter(({ status }) => status === 201).length, 1)
  assert.equal(answers.filter(({ status }) => status === 422).length, 99)
})
