import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { listCurrencies } from './currencies.ts'
import { decimalOf, parseDecimal, toJsonAmount } from './money.ts'

const codes = listCurrencies().map(({ code }) => code)

test('an amount becomes a JSON number only where a double holds it exactly', () => {
  assert.equal(toJsonAmount(1050n), 1050)
  assert.equal(toJsonAmount(2n ** 53n - 1n), Number.MAX_SAFE_INTEGER)
  assert.equal(toJsonAmount(-(2n ** 53n) + 1n), Number.MIN_SAFE_INTEGER)
  assert.throws(() => toJsonAmount(2n ** 53n), RangeError)
  assert.throws(() => toJsonAmount(-(2n ** 53n)), RangeError)
})

test('a decimal text has the digits of its currency', () => {
  assert.equal(decimalOf(1050n, 'EUR'), '10.50')
  assert.equal(decimalOf(1050n, 'JPY'), '1050')
  assert.equal(decimalOf(1050n, 'KWD'), '1.050')
  assert.equal(decimalOf(-5n, 'EUR'), '-0.05')
  assert.equal(decimalOf(0n, 'KWD'), '0.000')
  assert.equal(decimalOf(123_456_789_012_345_678n, 'HUF'), '1234567890123456.78')
})

test('a decimal text is read exactly, and refused where it says more than the currency has', () => {
  assert.equal(parseDecimal('10.5', 'EUR'), 1050n)
  assert.equal(parseDecimal('+10', 'EUR'), 1000n)
  assert.equal(parseDecimal('-0.05', 'EUR'), -5n)
  assert.equal(parseDecimal('1050', 'JPY'), 1050n)
  assert.equal(parseDecimal('0.1', 'JPY'), undefined)
  assert.equal(parseDecimal('10.505', 'EUR'), undefined)
  for (const text of ['', '.5', '5.', '1e3', '1,000.00', ' 1', '1 ', '0x10', 'NaN', '١٢', '--1']) {
    assert.equal(parseDecimal(text, 'EUR'), undefined, text)
  }
})

test('a text longer than any sum is refused without being worked on', () => {
  assert.equal(parseDecimal('9'.repeat(1_000_000), 'EUR'), undefined)
})

test('printing and reading an amount gives it back, in every currency', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.constantFrom(...codes), (minor, code) => {
      assert.equal(parseDecimal(decimalOf(minor, code), code), minor)
    }),
  )
})
