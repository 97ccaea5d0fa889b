import { test } from 'node:test'
import assert from 'node:assert/strict'
import { findSandboxCard, sandboxAmounts, sandboxCards, sandboxEffect } from './sandbox-values.ts'

test('every sandbox card has a number a card form accepts, and a token of its own', () => {
  for (const { number, token, last4 } of sandboxCards) {
    assert.ok(hasValidCheckDigit(number), `${number} fails the check digit`)
    assert.equal(last4, number.slice(12))
    assert.match(token, /^tok_[a-z_]+$/)
  }
  const count = sandboxCards.length
  assert.equal(new Set(sandboxCards.map(({ number }) => number)).size, count)
  assert.equal(new Set(sandboxCards.map(({ token }) => token)).size, count)
})

test('a card is found by its number and by its token, and nothing else is a test card', () => {
  for (const row of sandboxCards) {
    assert.equal(findSandboxCard({ number: row.number }), row)
    assert.equal(findSandboxCard({ token: row.token }), row)
  }
  assert.equal(findSandboxCard({ number: '4242424242424241' }), undefined)
  assert.equal(findSandboxCard({ number: 'tok_visa' }), undefined)
  assert.equal(findSandboxCard({ token: '4242424242424242' }), undefined)
})

test('a special amount acts where the card leaves it to, and a special card wins', () => {
  for (const { amount, effect } of sandboxAmounts) {
    assert.deepEqual(sandboxEffect({ token: 'tok_visa', amount }), effect)
    assert.deepEqual(sandboxEffect({ token: 'tok_lost', amount }), {
      kind: 'declines',
      code: 'lost_card',
    })
  }
  assert.deepEqual(sandboxEffect({ token: 'tok_not_listed', amount: 1 }), { kind: 'completes' })
})

/** The Luhn check of ISO/IEC 7812-1. */
function hasValidCheckDigit(number: string): boolean {
  const digits = [...number].toReversed().map(Number)
  const weighted = digits.map((digit, at) => (at % 2 === 0 ? digit : (digit * 2) % 9 || digit))
  return weighted.reduce((sum, digit) => sum + digit, 0) % 10 === 0
}
