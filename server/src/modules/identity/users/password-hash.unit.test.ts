import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPassword, isOutdated, isPassword } from './password-hash.ts'

test('a password fits its own hash and no other does', async () => {
  const stored = await hashPassword('correct horse battery')
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  assert.equal(await isPassword('correct horse battery', stored), true)
  assert.equal(await isPassword('correct horse batterz', stored), false)
  assert.equal(await isPassword(stored, stored), false)
  assert.notEqual(await hashPassword('correct horse battery'), stored)
})

test('one character written in two ways is one password', async () => {
  const stored = await hashPassword('caf\u00e9 au lait, sucr\u00e9')
  assert.equal(await isPassword('cafe\u0301 au lait, sucre\u0301', stored), true)
})

test('where nobody is, the answer is no, after the same work', async () => {
  const stored = await hashPassword('correct horse battery')
  const costs: Record<string, number[]> = { somebody: [], nobody: [] }
  for (let round = 0; round < 7; round += 1) {
    for (const [who, hash] of [
      ['somebody', stored],
      ['nobody', undefined],
    ] as const) {
      const began = performance.now()
      assert.equal(await isPassword('wrong', hash), false)
      costs[who]?.push(performance.now() - began)
    }
  }
  const [somebody = 0, nobody = 0] = Object.values(costs).map(
    (all) => all.toSorted((a, b) => a - b)[3],
  )
  assert.ok(nobody > somebody / 3 && nobody < somebody * 3, `${nobody} ms against ${somebody} ms`)
})

test('many at once all get their answer', async () => {
  const stored = await hashPassword('correct horse battery')
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, n) =>
      isPassword(n === 4 ? 'correct horse battery' : 'x', stored),
    ),
  )
  assert.deepEqual(answers.indexOf(true), 4)
  assert.equal(answers.filter(Boolean).length, 1)
})

test('a hash of weaker settings still fits and asks to be made anew', async () => {
  const stored = await hashPassword('correct horse battery')
  assert.equal(isOutdated(stored), false)
  assert.equal(isOutdated(stored.replace('t=2', 't=1')), true)
  await assert.rejects(isPassword('x', '$2b$10$abc'), /argon2id/)
})
