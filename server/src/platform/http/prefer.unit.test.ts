import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Preferences, parsePreferences, preferencesOf } from './prefer.ts'

const nothing: Preferences = { wait: undefined, respondAsync: false, returnMinimal: false }

// oxfmt-ignore
const cases: readonly (readonly [header: string, preferred: Partial<Preferences>])[] = [
  ['wait=5',                              { wait: 5 }],
  ['wait="5"',                            { wait: 5 }],
  ['Wait = 5',                            { wait: 5 }],
  ['wait=0',                              { wait: 0 }],
  ['wait=600',                            { wait: 20 }],
  ['wait=99999999999999999999',           {}],
  ['wait=-1',                             {}],
  ['wait=1.5',                            {}],
  ['wait',                                {}],
  ['wait=5, wait=10',                     { wait: 5 }],
  ['respond-async, wait=5',               { respondAsync: true, wait: 5 }],
  ['return=minimal',                      { returnMinimal: true }],
  ['return=representation',               {}],
  ['return=representation, return=minimal', {}],
  ['handling=lenient; strictness=2, wait=3', { wait: 3 }],
  ['foo="a, wait=9", wait=4',             { wait: 4 }],
  ['',                                    {}],
  [',,;=,',                               {}],
]
for (const [header, preferred] of cases) {
  test(`Prefer: ${header}`, () => {
    assert.deepEqual(parsePreferences(header), { ...nothing, ...preferred })
  })
}

test('several Prefer lines are one list', () => {
  const headers = { prefer: ['respond-async', 'wait=2'] } as never
  assert.deepEqual(preferencesOf({ headers }), { ...nothing, respondAsync: true, wait: 2 })
  assert.deepEqual(preferencesOf({ headers: {} }), nothing)
})

test('a hostile header is read in linear time', () => {
  const started = performance.now()
  parsePreferences(`a="${'\\'.repeat(15_000)}`)
  parsePreferences('a ;'.repeat(5_000))
  parsePreferences(`a${' '.repeat(15_000)}=`)
  assert.ok(performance.now() - started < 1_000)
})
