import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { postingErrors, refuse } from './ledger.errors.ts'

test('every refusal of the ledger is met in some test', () => {
  const folder = import.meta.dirname
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts') && name !== basename(import.meta.filename))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
  const untested = Object.keys(refuse.table).filter(
    (code) => !texts.some((text) => text.includes(`'${code}'`)),
  )
  assert.deepEqual(untested, [])
})

test('no refusal can be mended by asking again', () => {
  for (const [code, { status, retryable }] of Object.entries(refuse.table)) {
    assert.ok([404, 409, 422].includes(status) && !retryable, code)
  }
  assert.ok(postingErrors.every((code) => code in refuse.table))
})
