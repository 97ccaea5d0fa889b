import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  firstLine,
  givenDataDirectory,
  killHard,
  startProcess,
} from '../../../test/support/data-directory.ts'
import { lockDataDirectory, supervisorOf } from './data-directory-lock.ts'

const LOCK = `
  await postgres.lockDataDirectory(dataDir)
  console.log('locked')`

test('a second process is refused and told who is running', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const child = startProcess(t, dataDir, LOCK)
  await firstLine(child)
  assert.equal(await supervisorOf(dataDir), child.pid)
  await assert.rejects(lockDataDirectory(dataDir), {
    name: 'StartError',
    message: new RegExp(`already running, pid ${child.pid}, on .* kill ${child.pid}`),
  })
})

test('the lock of a killed process is taken over', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const child = startProcess(t, dataDir, LOCK)
  await firstLine(child)
  await killHard(child)
  assert.equal(await supervisorOf(dataDir), undefined)
  const lock = await lockDataDirectory(dataDir)
  assert.equal(await supervisorOf(dataDir), process.pid)
  await lock.release()
  assert.deepEqual(await readdir(dataDir), [])
})

test('a living process that merely has the pid of the dead holder does not count', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const lock = await lockDataDirectory(dataDir)
  const path = join(dataDir, 'lock')
  const holder = JSON.parse(await readFile(path, 'utf8')) as { started: string }
  await writeFile(path, JSON.stringify({ ...holder, started: `${holder.started}0` }))
  assert.equal(await supervisorOf(dataDir), undefined)
  await (await lockDataDirectory(dataDir)).release()
  await lock.release()
})

test('a lock emptied by a power cut is taken over', async (t) => {
  const dataDir = await givenDataDirectory(t)
  await (await lockDataDirectory(dataDir)).release()
  await writeFile(join(dataDir, 'lock'), '')
  await (await lockDataDirectory(dataDir)).release()
})

test('of many who find a dead holder exactly one gets the lock', async (t) => {
  const dataDir = await givenDataDirectory(t)
  for (let round = 0; round < 40; round += 1) {
    const dead = { pid: 999_999_999, started: 'long ago', nonce: crypto.randomUUID() }
    await (await lockDataDirectory(dataDir)).release()
    await writeFile(join(dataDir, 'lock'), JSON.stringify(dead))
    const starters = Array.from({ length: 8 }, () => lockDataDirectory(dataDir))
    const winners = (await Promise.allSettled(starters)).filter(
      ({ status }) => status === 'fulfilled',
    )
    assert.equal(winners.length, 1)
    await (winners[0] as PromiseFulfilledResult<{ release(): Promise<void> }>).value.release()
    assert.deepEqual(await readdir(dataDir), [])
  }
})
