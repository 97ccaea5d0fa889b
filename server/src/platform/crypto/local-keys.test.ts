import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { StartError } from '../start-error.ts'
import { rootKey } from './local-keys.ts'

async function givenDataDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'countinghouse-keys-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('the first start makes a root key that only the owner can read, the next finds it', async (t) => {
  const dataDirectory = await givenDataDirectory(t)
  const made = await rootKey({ dataDirectory })
  assert.equal(made.length, 32)
  assert.deepEqual(await rootKey({ dataDirectory }), made)
  const { mode } = await stat(join(dataDirectory, 'keys', 'kek-1'))
  assert.equal(mode & 0o777, 0o600)
})

test('processes that start together end with one root key and no leftovers', async (t) => {
  const dataDirectory = await givenDataDirectory(t)
  const keys = await Promise.all(Array.from({ length: 8 }, () => rootKey({ dataDirectory })))
  assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 1)
  assert.deepEqual(await readdir(join(dataDirectory, 'keys')), ['kek-1'])
})

test('a root key that others can read stops the start', async (t) => {
  const dataDirectory = await givenDataDirectory(t)
  await rootKey({ dataDirectory })
  await chmod(join(dataDirectory, 'keys', 'kek-1'), 0o644)
  await assert.rejects(rootKey({ dataDirectory }), StartError)
})

test('a damaged root key is never replaced', async (t) => {
  const dataDirectory = await givenDataDirectory(t)
  await rootKey({ dataDirectory })
  await truncate(join(dataDirectory, 'keys', 'kek-1'), 7)
  await assert.rejects(rootKey({ dataDirectory }), /damaged/)
})

test('a configured root key is used as it is, and no file is made', async (t) => {
  const dataDirectory = await givenDataDirectory(t)
  const key = randomBytes(32)
  assert.deepEqual(await rootKey({ dataDirectory, configured: key.toString('base64') }), key)
  assert.deepEqual(await readdir(dataDirectory), [])
  await assert.rejects(rootKey({ dataDirectory, configured: 'too short' }), StartError)
})
