import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor } from '../../platform/actor.ts'
import { newId } from '../../platform/ids.ts'
import { sandboxConnector } from './connectors/sandbox.ts'
import { routeOver, toNewPayment } from './payment-request.ts'

const route = routeOver([sandboxConnector({ baseUrl: 'http://127.0.0.1:9' })])

function ask(tenantMode: Actor['tenantMode'], card: object) {
  const actor: Actor = {
    kind: 'client',
    tenantId: newId(new Date()),
    tenantMode,
    id: 'cli_test',
    scopes: new Set(),
    principal: 'cli_test',
    origin: '127.0.0.1',
  }
  const body = { amount: 100, currency: 'EUR', payment_method: { type: 'card' as const, card } }
  const outcome = toNewPayment(body, { id: newId(new Date()), actor, route })
  return outcome.ok ? outcome.value.gatewayId : outcome.refusal.code
}

test('a sandbox payment goes to the sandbox gateway', () => {
  assert.equal(ask('sandbox', { token: 'tok_visa' }), 'sandbox')
})

test('a live payment never goes to a gateway that moves no money', () => {
  assert.equal(ask('live', { token: 'tok_visa' }), 'no_route')
})

test('a live tenant sends no card numbers', () => {
  assert.equal(ask('live', { number: '4242424242424242' }), 'raw_card_data_refused')
})

test('a card is a token or a number, and one of the listed', () => {
  assert.equal(ask('sandbox', {}), 'payment_method_invalid')
  const both = { token: 'tok_visa', number: '4242424242424242' }
  assert.equal(ask('sandbox', both), 'payment_method_invalid')
  assert.equal(ask('sandbox', { token: 'tok_unheard_of' }), 'test_card_required')
})
