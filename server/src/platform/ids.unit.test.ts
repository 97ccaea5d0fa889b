import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { idPattern, internalId, newId, publicId } from './ids.ts'

test('a public id and its uuid are one, in both directions', () => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      const id = publicId('pay', uuid)
      assert.match(id, new RegExp(idPattern('pay')))
      assert.equal(internalId('pay', id), uuid)
    }),
  )
})

test('ids of later milliseconds sort later, as uuids and as public ids', () => {
  const early = newId(new Date(1_700_000_000_000))
  const late = newId(new Date(1_700_000_000_001))
  assert.ok(early < late)
  assert.ok(publicId('pay', early) < publicId('pay', late))
})

test('what is no id of that kind has no uuid', () => {
  const id = publicId('pay', newId(new Date()))
  for (const text of [
    id.replace('pay_', 'ref_'),
    id.slice(0, -1),
    `${id}0`,
    id.toUpperCase(),
    `pay_8${'0'.repeat(25)}`,
    `pay_${'u'.repeat(26)}`,
    `pay_${'é'.repeat(26)}`,
    '',
  ]) {
    assert.equal(internalId('pay', text), undefined, text)
  }
})

test('every id is a uuid of version 7 and variant 10', () => {
  for (let count = 0; count < 2_000; count += 1) {
    const id = newId(new Date())
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})
