import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalIban } from './iban.ts'

test('an IBAN is kept without spaces and in capitals', () => {
  assert.equal(normalIban('de89 3704 0044 0532 0130 00'), 'DE89370400440532013000')
  assert.equal(normalIban('GB82WEST12345698765432'), 'GB82WEST12345698765432')
})

test('a digit more, less, changed or swapped is noticed', () => {
  for (const text of [
    'DE89370400440532013001',
    'DE98370400440532013000',
    'DE8937040044053201300',
    'DE89307400440532013000',
    'D089370400440532013000',
    '',
    'DE89-3704-0044-0532-0130-00',
  ]) {
    assert.equal(normalIban(text), undefined, text)
  }
})
