import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError } from '../errors.ts'
import { fingerprintOf, readKey } from './idempotency.ts'
import { blockKeyOf, createKeyedHash } from './keyed-hash.ts'

/** As Node hands header lines over: joined in `headers`, apart in `rawHeaders`. */
function arriving(...lines: string[]) {
  const rawHeaders = lines.flatMap((line) => ['Idempotency-Key', line])
  return { headers: { 'idempotency-key': lines.join(', ') }, rawHeaders }
}

const isInvalidKey = (error: unknown): boolean =>
  error instanceof ApiError && error.refusal.code === 'idempotency_key_invalid'

test('a bare key and the same key as a structured string are one', () => {
  assert.equal(readKey(arriving('order-1042')), 'order-1042')
  assert.equal(readKey(arriving('"order-1042"')), 'order-1042')
  assert.equal(readKey(arriving('"a\\"b\\\\c"')), 'a"b\\c')
  assert.equal(readKey(arriving('"a,b"')), 'a,b')
  assert.equal(readKey(arriving('k'.repeat(255))), 'k'.repeat(255))
  assert.equal(readKey({ headers: {}, rawHeaders: [] }), undefined)
})

for (const lines of [
  ['k1', 'k1'], // would arrive as the third key "k1, k1"
  ['k1', 'k2'],
  ['"k1"', '"k1"'],
  ['k1,k1'],
  [''],
  ['""'],
  ['a b'],
  ['"a b"'],
  ['"open'],
  ['"a" ; p=1'],
  ['"a\\x"'],
  ['schlüssel'],
  ['k'.repeat(256)],
  [`"${'k'.repeat(256)}"`],
]) {
  test(`a key is refused that comes as ${JSON.stringify(lines).slice(0, 40)}`, () => {
    assert.throws(() => readKey(arriving(...lines)), isInvalidKey)
  })
}

const keyedHash = createKeyedHash(Buffer.alloc(32, 7))
const policy = { method: 'POST', url: '/payments/:id/refunds' }
const request = { params: { id: 'pay_1' }, query: {}, body: { amount: 100, metadata: { a: '1' } } }
const fingerprint = fingerprintOf(keyedHash, policy, request)

test('a fingerprint does not depend on the order of members', () => {
  const body = { metadata: { a: '1' }, amount: 100 }
  assert.equal(fingerprintOf(keyedHash, policy, { ...request, body }), fingerprint)
})

const others = {
  'another amount': { ...request, body: { ...request.body, amount: 101 } },
  'an amount as text': { ...request, body: { ...request.body, amount: '100' } },
  'one member more': { ...request, body: { ...request.body, note: null } },
  'another path': { ...request, params: { id: 'pay_2' } },
  'another query': { ...request, query: { expand: 'refunds' } },
  'no body': { ...request, body: undefined },
}
for (const [name, other] of Object.entries(others)) {
  test(`a fingerprint tells ${name}`, () => {
    assert.notEqual(fingerprintOf(keyedHash, policy, other), fingerprint)
  })
}

test('a fingerprint tells another route and another key', () => {
  const route = { ...policy, url: '/payments/:id/capture' }
  assert.notEqual(fingerprintOf(keyedHash, route, request), fingerprint)
  const otherKey = createKeyedHash(Buffer.alloc(32, 8))
  assert.notEqual(fingerprintOf(otherKey, policy, request), fingerprint)
})

test('the keyed hash is HMAC-SHA-256', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 64 }),
      fc.string({ unit: 'grapheme' }),
      (secret, text) => {
        const expected = createHmac('sha256', blockKeyOf(secret)).update(text).digest('hex')
        assert.equal(createKeyedHash(secret)(text), expected)
      },
    ),
  )
  assert.throws(() => createKeyedHash(new Uint8Array(31)), RangeError)
})
