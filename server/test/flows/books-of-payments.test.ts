import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startServiceForTests()
})
after(() => service.close())

test('what a payment has booked is refunded, not reversed behind its back', async () => {
  const { body: payment } = await service.call('POST', '/payments', {
    body: {
      amount: 500,
      currency: 'EUR',
      payment_method: { type: 'card', card: { token: 'tok_visa' } },
      recipient: { type: 'account', account_id: service.accounts.customer_a },
    },
    headers: { prefer: 'wait=10' },
  })
  const [id] = payment['ledger_transaction_ids'] as string[]
  const reversed = await service.call('POST', `/ledger/transactions/${id}/reverse`, { body: {} })
  assert.deepEqual([reversed.status, reversed.body['code']], [409, 'transaction_not_yours'])
  assert.equal(reversed.body['module'], 'payments')
})

test("the gateway's clearing account is no purse", async () => {
  const { body } = await service.call('GET', '/ledger/accounts?role=gateway_clearing')
  const [clearing] = body['data'] as { id: string }[]
  const spent = await service.call('POST', '/payments', {
    body: {
      amount: 500,
      currency: 'EUR',
      payment_method: { type: 'book' },
      source: { account_id: clearing?.id },
      recipient: { type: 'account', account_id: service.accounts.customer_a },
    },
  })
  assert.deepEqual([spent.status, spent.body['code']], [422, 'account_not_payable'])
})
