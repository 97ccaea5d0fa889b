import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError } from './errors.ts'
import { type Question, createCursors } from './page.ts'

const cursors = createCursors(Buffer.alloc(32, 7))
const question: Question = { tenantId: 't-1', list: '/payments', filters: { status: ['failed'] } }
const position = ['2026-11-23T10:00:00.000Z', '0191d6c2-0000-7000-8000-000000000001']
const cursor = cursors.encode(question, position)

const isInvalidCursor = (error: unknown): boolean =>
  error instanceof ApiError && error.refusal.code === 'invalid_cursor'

test('a cursor gives its position back, whatever text that is', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), (texts) => {
      const wellFormed = texts.map((text) => text.toWellFormed())
      assert.deepEqual(cursors.decode(question, cursors.encode(question, wellFormed)), wellFormed)
    }),
  )
})

test('a cursor is opaque text that a URL carries unchanged', () => {
  assert.match(cursor, /^[A-Za-z0-9_-]+$/)
})

test('the order in which filters are written does not matter, their values do', () => {
  const one = { ...question, filters: { status: ['failed'], type: 'card' } }
  const other = { ...question, filters: { type: 'card', status: ['failed'] } }
  assert.deepEqual(cursors.decode(other, cursors.encode(one, position)), position)
})

const strangers: Record<string, Question> = {
  'another tenant': { ...question, tenantId: 't-2' },
  'another list': { ...question, list: '/refunds' },
  'other filters': { ...question, filters: { status: ['returned'] } },
}
for (const [name, stranger] of Object.entries(strangers)) {
  test(`a cursor is refused for ${name}`, () => {
    assert.throws(() => cursors.decode(stranger, cursor), isInvalidCursor)
  })
}

test('a cursor of another key is refused', () => {
  const others = createCursors(Buffer.alloc(32, 8))
  assert.throws(() => others.decode(question, cursor), isInvalidCursor)
})

test('a cursor with any one character changed, left out or added is refused', () => {
  for (let at = 0; at < cursor.length; at += 1) {
    const changed = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1)
    const cut = cursor.slice(0, at) + cursor.slice(at + 1)
    assert.throws(() => cursors.decode(question, changed), isInvalidCursor)
    assert.throws(() => cursors.decode(question, cut), isInvalidCursor)
  }
  for (const text of ['', 'A', `${cursor}A`, `${cursor}=`, `${cursor}!`, '💶']) {
    assert.throws(() => cursors.decode(question, text), isInvalidCursor)
  }
})
