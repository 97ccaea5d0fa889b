import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { SealBroken, sealingUnder } from './sealing.ts'

const root = randomBytes(32)
const sealing = sealingUnder(root)
const secret = Buffer.from('the private half of a key')

test('what was sealed opens in its own context, also on another node with the same root key', () => {
  const sealed = sealing.seal(secret, 'identity.signing_keys|k1')
  assert.deepEqual(sealingUnder(root).open(sealed, 'identity.signing_keys|k1'), secret)
  assert.equal(sealed.includes(secret), false)
})

test('sealing the same text twice gives two different values', () => {
  assert.notDeepEqual(sealing.seal(secret, 'a'), sealing.seal(secret, 'a'))
})

test('a value moved to another row does not open', () => {
  const sealed = sealing.seal(secret, 'identity.signing_keys|k1')
  assert.throws(() => sealing.open(sealed, 'identity.signing_keys|k2'), SealBroken)
})

test('a value changed in any byte does not open', () => {
  const sealed = sealing.seal(secret, 'a')
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed)
    changed[index] = (changed[index] ?? 0) ^ 1
    assert.throws(() => sealing.open(changed, 'a'), SealBroken, `byte ${index}`)
  }
})

test('a value cut short does not open', () => {
  const sealed = sealing.seal(secret, 'a')
  for (const length of [0, 1, 13, 28, sealed.length - 12, sealed.length - 1]) {
    assert.throws(() => sealing.open(sealed.subarray(0, length), 'a'), SealBroken)
  }
})

test('another root key opens nothing', () => {
  const sealed = sealing.seal(secret, 'a')
  assert.throws(() => sealingUnder(randomBytes(32)).open(sealed, 'a'), SealBroken)
})

test('derived keys differ by purpose and agree between nodes', () => {
  assert.deepEqual(sealing.deriveKey('cursors'), sealingUnder(root).deriveKey('cursors'))
  assert.notDeepEqual(sealing.deriveKey('cursors'), sealing.deriveKey('fingerprints'))
  assert.equal(sealing.deriveKey('cursors').length, 32)
})

test('a root key of the wrong length is refused', () => {
  assert.throws(() => sealingUnder(randomBytes(16)), /32 bytes/)
})
