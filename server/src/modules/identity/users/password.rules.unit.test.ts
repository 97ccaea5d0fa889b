import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passwordFault } from './password.rules.ts'

test('a long password of chance or of several words is taken', () => {
  for (const password of [
    'J4-kk2p-x9wq-t7',
    'green lamp over river',
    'ÄÖÜ ßéè ñçø 12',
    'zxq'.repeat(1) + 'mw82hdk1p',
  ]) {
    assert.equal(passwordFault(password, 'ada.customer'), undefined, password)
  }
})

test('a password that is tried first is refused, also dressed up', () => {
  for (const password of [
    'short',
    'elevenchars',
    'aaaaaaaaaaaaaaa',
    'abcabcabcabc',
    'hellohellohello',
    '123456789012',
    'qwertzuiop123',
    'abcdefghijkl',
    'Password2026!!',
    'P4ssw0rd-2026',
    'Welcome-2026!!',
    'ada.customer-77',
    'x'.repeat(300),
  ]) {
    assert.ok(passwordFault(password, 'ada.customer') !== undefined, password)
  }
})
