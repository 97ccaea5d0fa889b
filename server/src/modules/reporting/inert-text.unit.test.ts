import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { inertText } from './inert-text.ts'

const formulas = [
  '=1+1',
  '+49 30 123',
  '-12.50',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\tplain',
  '  =1',
  '\n\n=1',
  '\u00a0=1',
  '\u3000＝1',
  '\ufeff=1',
  '＋1',
  '－1',
  '＠x',
]
for (const text of formulas) {
  test(`${JSON.stringify(text)} gets an apostrophe`, () =>
    assert.equal(inertText(text), `'${text}`))
}

const harmless = ['', ' ', 'Invoice 7', '1-2', 'a=b', "'=1", '"=1"', '/=1', '12.50', '\n', 'ＡＢ']
for (const text of harmless) {
  test(`${JSON.stringify(text)} stays as it is`, () => assert.equal(inertText(text), text))
}

test('nothing that comes out begins a formula, and nothing but one apostrophe was added', () => {
  const hostile = fc.string({ unit: fc.constantFrom(...'=+-@\t\r\n ＝＋－＠ab\'"\u00a0') })
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), (text) => {
      const inert = inertText(text)
      assert.ok(inert === text || inert === `'${text}`)
      assert.ok(!/^[\s]*[=+\-@＝＋－＠]/.test(inert))
      assert.ok(!/^ *[\t\r]/.test(inert) || !/\S/.test(inert) || inert === text)
    }),
  )
})
