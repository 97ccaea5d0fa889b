import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digitsOf, findCurrency, isPayable, listCurrencies } from './currencies.ts'

function codesWith(digits: number): string {
  return listCurrencies()
    .filter((currency) => currency.payable && currency.digits === digits)
    .map(({ code }) => code)
    .join(' ')
}

test('list one has its 178 codes, each once', () => {
  const active = listCurrencies().filter(({ withdrawnOn }) => withdrawnOn === undefined)
  assert.equal(active.length, 178)
  assert.equal(new Set(listCurrencies().map(({ code }) => code)).size, listCurrencies().length)
  for (const { code } of listCurrencies()) assert.match(code, /^[A-Z]{3}$/)
})

test('the currencies without minor units and those with three digits are those of the standard', () => {
  assert.equal(codesWith(0), 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF')
  assert.equal(codesWith(3), 'BHD IQD JOD KWD LYD OMR TND')
  for (const { payable, digits } of listCurrencies()) {
    if (payable) assert.ok([0, 2, 3].includes(digits))
  }
})

test('digits that ICU has otherwise are those of the standard', () => {
  for (const code of 'AFN ALL COP HUF IDR IRR KPW LAK LBP MGA MMK PKR SOS SYP YER'.split(' ')) {
    assert.equal(digitsOf(code), 2, code)
  }
})

test('nothing is paid in funds, units of account, metals, test codes and withdrawn currencies', () => {
  const listed = 'BOV CHE CHW CLF COU MXV USN UYI UYW XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU'
  for (const code of `${listed} XTS XUA XXX`.split(' ')) {
    assert.notEqual(findCurrency(code), undefined, code)
    assert.equal(isPayable(code), false, code)
  }
  for (const code of ['ANG', 'BGN', 'HRK', 'SLL', 'ZWL']) {
    assert.equal(isPayable(code), false, code)
    assert.equal(digitsOf(code), 2, `${code} stays readable`)
  }
  for (const code of ['XAF', 'XCD', 'XCG', 'XOF', 'XPF', 'EUR', 'ZWG', 'SLE']) {
    assert.equal(isPayable(code), true, code)
  }
})

test('a code is written in upper case and known', () => {
  assert.equal(isPayable('eur'), false)
  assert.equal(isPayable('EUX'), false)
  assert.throws(() => digitsOf('EUX'), RangeError)
})
