import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashSecret, isSecretOf, newClientSecret } from './client-secret.ts'

test('a secret is known by its look, and form-encoding leaves it as it is', () => {
  const secret = newClientSecret('live')
  assert.match(secret, /^chs_live_[\w-]{43}[0-9a-f]{8}$/)
  assert.equal(encodeURIComponent(secret), secret)
  assert.notEqual(newClientSecret('live'), secret)
})

test('a secret opens by its own hash, whichever of the two live ones it is', () => {
  const [old, fresh] = [newClientSecret('sandbox'), newClientSecret('sandbox')]
  const hashes = [hashSecret(fresh), hashSecret(old)]
  assert.ok(isSecretOf(hashes, old) && isSecretOf(hashes, fresh))
  assert.equal(isSecretOf(hashes, newClientSecret('sandbox')), false)
})

test('the stored hash is no secret, nor is nothing', () => {
  const hashes = [hashSecret(newClientSecret('live'))]
  assert.equal(isSecretOf(hashes, hashes[0] ?? ''), false)
  assert.equal(isSecretOf(hashes, ''), false)
  assert.equal(isSecretOf([], ''), false)
})
