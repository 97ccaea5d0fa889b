import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pointerAt, scanJson } from './json-scan.ts'

const LIMITS = { maxDepth: 4, maxMembers: 30 }
const WIDE = { maxDepth: 10_000, maxMembers: 1_000_000 }

/** `code pointer` of what is found, or `ok`. */
function verdict(text: string, limits = LIMITS): string {
  const fault = scanJson(text, limits)
  return fault === undefined ? 'ok' : `${fault.code} ${pointerAt(text, fault.offset)}`
}

// oxfmt-ignore
const cases: readonly (readonly [text: string, verdict: string])[] = [
  ['{}',                                         'ok'],
  ['',                                           'ok'], // not JSON: the parser says so
  ['{"a":1,"b":[1,2,{"a":1}],"c":{"a":1}}',      'ok'],
  ['[{"a":1},{"a":1}]',                          'ok'],
  ['["a","a"]',                                  'ok'],
  ['{"a":"a","b":"a"}',                          'ok'],
  ['{"a":1,"a":2}',                              'not_allowed #/a'],
  ['{"amount":1,"\\u0061mount":999}',            'not_allowed #/amount'],
  ['{"a":{"b":[0,{"c":1 , "c" :2}]}}',           'not_allowed #/a/b/1/c'],
  ['{"a/b~c":1,"a/b~c":2}',                      'not_allowed #/a~1b~0c'],
  ['{"é":1,"\\u00e9":2}',                        'not_allowed #/%C3%A9'],
  ['{"__proto__":{}}',                           'not_allowed #/__proto__'],
  ['{"\\u005f_proto__":{}}',                     'not_allowed #/__proto__'],
  ['{"constructor":{"prototype":{}}}',           'not_allowed #/constructor'],
  ['{"constructor":"a builder"}',                'ok'],
  ['{"a":9007199254740991}',                     'ok'],
  ['{"a":-9007199254740991}',                    'ok'],
  ['{"a":9007199254740993}',                     'too_large #/a'],
  ['{"a":-9007199254740993}',                    'too_large #/a'],
  ['[1,2,99999999999999999999]',                 'too_large #/2'],
  ['{"a":1e3}',                                  'bad_format #/a'],
  ['{"a":1E3}',                                  'bad_format #/a'],
  ['{"a":100.0}',                                'bad_format #/a'],
  ['{"a":100.00000000000000001}',                'bad_format #/a'],
  ['10.5',                                       'bad_format #'],
  ['{"a":"10.5","b":"1e3"}',                     'ok'],
  ['[[[[]]]]',                                   'ok'],
  ['[[[[[]]]]]',                                 'too_large #/0/0/0/0'],
  ['{"a":{"b":{"c":{"d":{}}}}}',                 'too_large #/a/b/c/d'],
  ['{"a":"x\\u0000y"}',                          'bad_format #/a'],
  ['{"a":"\\u001b[31m"}',                        'bad_format #/a'],
  ['{"a":"x\\ry"}',                              'bad_format #/a'],
  ['{"a":"line\\nnext\\tcolumn\\u000a\\u0009"}', 'ok'],
  ['{"a\\u0000":1}',                             'bad_format #/a%00'],
  ['{"a":"\\ud83d"}',                            'bad_format #/a'],
  ['{"a":"\\ude00"}',                            'bad_format #/a'],
  ['{"a":"\\ud83d\\u0041"}',                     'bad_format #/a'],
  ['{"a":"\\ud83d\\ud83d\\ude00"}',              'bad_format #/a'],
  ['{"a":"\\ud83d\\ude00"}',                     'ok'],
  ['{"a":"\\\\u0000"}',                          'ok'], // an escaped backslash, then text
  ['{"a":"quote \\" , \\"a\\":"}',               'ok'],
]
for (const [text, expected] of cases) {
  test(`${text} is ${expected}`, () => assert.equal(verdict(text), expected))
}

test('a body may hold so many members and no more', () => {
  assert.equal(verdict(JSON.stringify(Array(30).fill(1))), 'ok')
  assert.equal(verdict(JSON.stringify(Array(31).fill(1))), 'too_large #/30')
})

test('a name that occurs twice is found also among thousands, near its end', () => {
  const names = Array.from({ length: 5_000 }, (_, index) => `"n${index}":1`)
  assert.equal(verdict(`{${names.join()}}`, WIDE), 'ok')
  assert.equal(verdict(`{${names.join()},"n17":1}`, WIDE), 'not_allowed #/n17')
  // The set of one object is not that of the next at the same depth.
  assert.equal(verdict(`[{${names.join()}},{${names.join()}}]`, WIDE), 'ok')
})

test('400,000 nested arrays are refused at the limit', () => {
  assert.equal(verdict('['.repeat(400_000)), 'too_large #/0/0/0/0')
})

test('a pointer shows only the beginning of a long name', () => {
  const name = 'n'.repeat(10_000)
  assert.equal(verdict(`{"${name}":1.5}`), `bad_format #/${'n'.repeat(64)}`)
})

test('whatever JSON.stringify writes with whole numbers passes', () => {
  const text = fc.string().map((value) => value.replaceAll(/[\u0000-\u001f]/g, ' '))
  const name = text.filter((value) => value !== '__proto__' && value !== 'constructor')
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      text,
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(name, tie('tree'), { maxKeys: 20 }),
    ),
  }))
  fc.assert(
    fc.property(tree, fc.constantFrom(0, 2), (value, indent) => {
      assert.equal(verdict(JSON.stringify(value, undefined, indent), WIDE), 'ok')
    }),
  )
})

test('no text makes the scan fail or stay', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    '\\u',
    'd800',
    '1',
    '-',
    '.',
    'e',
    ' ',
    'a',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const text = pieces.join('')
      const fault = scanJson(text, LIMITS)
      if (fault !== undefined) assert.match(pointerAt(text, fault.offset), /^#/)
    }),
    { numRuns: 2_000 },
  )
})

test('a name written twice anywhere in a tree is found', () => {
  const key = fc.stringMatching(/^[a-z]{1,3}$/)
  fc.assert(
    fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 40 }), fc.nat(), (keys, pick) => {
      const twice = keys[pick % keys.length] as string
      const members = [...keys, twice].map((name) => `"${name}":[{"${name}":1}]`)
      assert.equal(verdict(`{${members.join()}}`, WIDE), `not_allowed #/${twice}`)
    }),
  )
})
