import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../errors.ts'
import { allowedVersions, etagOf, isAllowed, isKnown } from './conditional.ts'

const given = (headers: Record<string, string>) => ({ headers })

test('an ETag names the version of the row and of the API', () => {
  assert.equal(etagOf(7), '"7-20261101"')
})

test('If-None-Match knows a version that it lists, weak or strong, or any', () => {
  assert.equal(isKnown(given({}), 7), false)
  assert.equal(isKnown(given({ 'if-none-match': '"7-20261101"' }), 7), true)
  assert.equal(isKnown(given({ 'if-none-match': 'W/"7-20261101"' }), 7), true)
  assert.equal(isKnown(given({ 'if-none-match': '"6-20261101", "7-20261101"' }), 7), true)
  assert.equal(isKnown(given({ 'if-none-match': '*' }), 7), true)
  assert.equal(isKnown(given({ 'if-none-match': '"6-20261101"' }), 7), false)
  assert.equal(isKnown(given({ 'if-none-match': '"7-20270101"' }), 7), false)
})

test('If-Match compares the version of the row only', () => {
  assert.deepEqual(allowedVersions(given({ 'if-match': '"7-20261101"' })), [7])
  assert.deepEqual(allowedVersions(given({ 'if-match': '"7-20250101", "9"' })), [7, 9])
  assert.equal(allowedVersions(given({ 'if-match': '*' })), undefined)
  assert.equal(allowedVersions(given({})), undefined)
  assert.equal(isAllowed(undefined, 3), true)
  assert.equal(isAllowed([7, 9], 9), true)
  assert.equal(isAllowed([7, 9], 8), false)
})

test('a weak or foreign tag in If-Match allows no write', () => {
  assert.deepEqual(allowedVersions(given({ 'if-match': 'W/"7-20261101", "abc", 7' })), [])
})

test('an object that demands If-Match refuses a blind write with 428', () => {
  assert.throws(
    () => allowedVersions(given({}), 'required'),
    (error) => error instanceof ApiError && error.refusal.status === 428,
  )
})
