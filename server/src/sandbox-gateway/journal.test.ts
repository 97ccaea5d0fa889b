import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from './journal.ts'
import { givenFolder } from '../../test/support/gateway-client.ts'

interface Line {
  n: number
  text: string
}

async function givenJournal(t: TestContext, folder: string) {
  const journal = await openJournal<Line>(folder)
  t.after(() => journal.close())
  return journal
}

function fileIn(folder: string): string {
  return join(folder, 'journal.ndjson')
}

const two = '{"n":1,"text":"one"}\n{"n":2,"text":"two"}\n'

test('a line is in the file once it is said to be saved, and is there after reopening', async (t) => {
  const folder = await givenFolder(t)
  const journal = await openJournal<Line>(folder)
  await journal.append({ text: 'one' }).saved
  assert.equal(await readFile(fileIn(folder), 'utf8'), '{"n":1,"text":"one"}\n')
  const { saved } = journal.append({ text: 'two' })
  assert.equal(journal.durable, 1, 'not on the disk yet')
  await journal.close()
  await saved
  const reopened = await givenJournal(t, folder)
  assert.deepEqual(reopened.entries, [
    { n: 1, text: 'one' },
    { n: 2, text: 'two' },
  ])
  assert.equal(reopened.append({ text: 'three' }).entry.n, 3)
})

test('what arrives while one fsync runs shares the next', async (t) => {
  const journal = await givenJournal(t, await givenFolder(t))
  const saved = Array.from({ length: 500 }, (_, at) => journal.append({ text: `${at}` }).saved)
  await saved[0]
  saved.push(...Array.from({ length: 500 }, (_, at) => journal.append({ text: `${at}` }).saved))
  await Promise.all(saved)
  assert.equal(journal.durable, 1000)
  assert.equal(journal.syncs, 2)
})

for (const torn of ['{', '{"n":3,"text":"thr', '{"n":3,"text":"three"}', 'x'.repeat(3_000_000)]) {
  test(`a half line of ${torn.length} bytes at the end is cut off, and the next is whole`, async (t) => {
    const folder = await givenFolder(t)
    await writeFile(fileIn(folder), two + torn)
    const journal = await givenJournal(t, folder)
    assert.equal(journal.durable, 2)
    await journal.append({ text: 'again' }).saved
    assert.equal(await readFile(fileIn(folder), 'utf8'), `${two}{"n":3,"text":"again"}\n`)
  })
}

test('a last line that is broken though it ends is cut off too', async (t) => {
  const folder = await givenFolder(t)
  await writeFile(fileIn(folder), `${two}\0\0\0\0\n`)
  assert.equal((await givenJournal(t, folder)).durable, 2)
  assert.equal(await readFile(fileIn(folder), 'utf8'), two)
})

test('a last line that is whole but out of order is no crash, and is not forgotten', async (t) => {
  const folder = await givenFolder(t)
  const content = `${two}{"n":4,"text":"four"}\n`
  await writeFile(fileIn(folder), content)
  await assert.rejects(openJournal(folder), /line 3 is damaged/)
  assert.equal(await readFile(fileIn(folder), 'utf8'), content)
})

for (const [what, middle] of [
  ['broken', '{"n":3,"te\n'],
  ['missing', ''],
  ['doubled', '{"n":2,"text":"two"}\n'],
] as const) {
  test(`a journal with a ${what} line in the middle is not opened and not changed`, async (t) => {
    const folder = await givenFolder(t)
    const content = `${two}${middle}{"n":4,"text":"four"}\n{"n":5,"text":"five"}\n`
    await writeFile(fileIn(folder), content)
    await assert.rejects(openJournal(folder), /line 3 is damaged/)
    assert.equal(await readFile(fileIn(folder), 'utf8'), content)
  })
}

test('a long journal is read whole, wherever the reads happen to cut it', async (t) => {
  const folder = await givenFolder(t)
  const lines = Array.from({ length: 60_000 }, (_, at) => {
    return `{"n":${at + 1},"text":"${'ü'.repeat(at % 40)}"}\n`
  })
  for (let at = 0; at < lines.length; at += 10_000) {
    await appendFile(fileIn(folder), lines.slice(at, at + 10_000).join(''))
  }
  const journal = await givenJournal(t, folder)
  assert.equal(journal.durable, lines.length)
  assert.equal(journal.entries[59_999]?.text, 'ü'.repeat(59_999 % 40))
})
