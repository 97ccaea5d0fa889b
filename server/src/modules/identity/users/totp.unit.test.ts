import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBase32, newTotpSecret, otpauthUri, stepOfCode, toBase32, totpCode } from './totp.ts'

const RFC_SECRET = Buffer.from('12345678901234567890')

test('codes are those of RFC 6238, appendix B, cut to six digits', () => {
  const vectors = [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ] as const
  for (const [seconds, code] of vectors) {
    assert.equal(totpCode(RFC_SECRET, new Date(seconds * 1_000)), code)
  }
})

test('a code is right in its own half minute and in the ones beside it, and names its step', () => {
  const at = new Date('2026-11-23T09:00:10Z')
  const step = Math.floor(at.getTime() / 30_000)
  for (const drift of [-1, 0, 1]) {
    const code = totpCode(RFC_SECRET, new Date(at.getTime() + drift * 30_000))
    assert.equal(stepOfCode(RFC_SECRET, code, at), step + drift)
  }
  for (const drift of [-2, 2]) {
    const code = totpCode(RFC_SECRET, new Date(at.getTime() + drift * 30_000))
    assert.equal(stepOfCode(RFC_SECRET, code, at), undefined)
  }
})

test('a code may be typed with a gap; anything else is wrong', () => {
  const at = new Date('2026-11-23T09:00:10Z')
  const code = totpCode(RFC_SECRET, at)
  assert.ok(stepOfCode(RFC_SECRET, `${code.slice(0, 3)} ${code.slice(3)}`, at) !== undefined)
  for (const wrong of ['', '12345', `${code}0`, 'abcdef']) {
    assert.equal(stepOfCode(RFC_SECRET, wrong, at), undefined)
  }
})

test('a secret survives the way to an authenticator app and back', () => {
  assert.equal(toBase32(RFC_SECRET), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  for (let round = 0; round < 50; round += 1) {
    const secret = newTotpSecret()
    assert.equal(secret.length, 20)
    assert.deepEqual(fromBase32(toBase32(secret).toLowerCase()), secret)
  }
  assert.throws(() => fromBase32('01'), /base32/)
  assert.match(otpauthUri(RFC_SECRET, 'a b'), /^otpauth:\/\/totp\/Countinghouse:a%20b\?secret=GEZ/)
})
