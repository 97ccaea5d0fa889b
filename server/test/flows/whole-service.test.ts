import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestService, startServiceForTests } from '../support/service.ts'

let it: TestService
before(async () => (it = await startServiceForTests()))
after(() => it.close())

test('a transfer within the books is complete when it is answered, and can be read again', async () => {
  const { customer_a: source, customer_b: recipient } = it.accounts
  const made = await it.call('POST', '/payments', {
    body: {
      amount: 1_250,
      currency: 'EUR',
      payment_method: { type: 'book' },
      source: { account_id: source },
      recipient: { type: 'account', account_id: recipient },
    },
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  assert.equal(made.body['status'], 'completed')
  const read = await it.call('GET', `/payments/${String(made.body['id'])}`)
  assert.equal(read.status, 200)
  assert.deepEqual(read.body, made.body)
})

test('another tenant does not see it', async () => {
  const made = await it.call('POST', '/payments', {
    body: {
      amount: 100,
      currency: 'EUR',
      payment_method: { type: 'book' },
      source: { account_id: it.accounts.customer_a },
      recipient: { type: 'account', account_id: it.accounts.customer_b },
    },
  })
  const path = `/payments/${String(made.body['id'])}`
  const read = await it.call('GET', path, { token: it.tokens.stranger })
  assert.equal(read.status, 404)
})

test('the service is ready once its database answers and takes writes', async () => {
  const ready = await fetch(`${it.baseUrl}/readyz`)
  assert.equal(ready.status, 200)
  const { status } = (await ready.json()) as { status: string }
  assert.equal(status, 'ready')
})
