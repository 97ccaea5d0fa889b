import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLeakedPassword } from './leaked-passwords.ts'
import { passwordFault } from './password.rules.ts'

test('a long password of chance or of several words is taken', async () => {
  for (const password of [
    'J4-kk2p-x9wq-t7',
    'green lamp over river',
    'ÄÖÜ ßéè ñçø 12',
    'zxq'.repeat(1) + 'mw82hdk1p',
  ]) {
    assert.equal(await passwordFault(password, 'ada.customer'), undefined, password)
  }
})

test('a password that is tried first is refused, also dressed up', async () => {
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
    '1qaz2wsx3edc4rfv',
    'Gfhjkmgfhjkm!', // a Russian password on an English keyboard
    'monkey-77-99-22',
    'p455w0rdp455w0rd',
    'correct horse battery staple',
    'Passwort-2026',
    'ada.customer-77',
    'x'.repeat(300),
  ]) {
    assert.ok((await passwordFault(password, 'ada.customer')) !== undefined, password)
  }
})

test('the list knows the ten thousand that are tried first', async () => {
  for (const password of ['123456', 'password', 'qwerty', 'dragon', 'trustno1']) {
    assert.ok(await isLeakedPassword(password), password)
  }
  assert.equal(await isLeakedPassword('green lamp over river'), false)
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  assert.ok(dictionary['passwords-common'].length >= 10_000)
})
