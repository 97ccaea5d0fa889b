import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiScopes, assertScopes, customerScopes, isScope, scopes } from './scopes.ts'

test('scopes are unique and spelled area:verb', () => {
  assert.equal(new Set(scopes).size, scopes.length)
  for (const scope of scopes) assert.match(scope, /^(?:openid|test_helpers|[a-z_]+:[a-z]+)$/)
})

test('writing never stands for reading: whoever asks for both names both', () => {
  assert.ok(isScope('payments:read') && isScope('payments:write'))
  assert.equal(isScope('payments:*'), false)
})

test('an access token never carries openid', () => {
  assert.ok(customerScopes.has('openid'))
  assert.equal(apiScopes.includes('openid'), false)
})

test('a route that names a scope which nobody could hold fails the boot', () => {
  assertScopes('GET /payments', ['payments:read'])
  assert.throws(
    () => assertScopes('GET /payments', ['payments:read', 'payment:read']),
    /GET \/payments names unknown scopes: payment:read/,
  )
})
