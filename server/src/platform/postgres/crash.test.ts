import assert from 'node:assert/strict'
import { once } from 'node:events'
import { access, chown, cp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  firstLine,
  givenDataDirectory,
  givenStoppedCluster,
  killHard,
  query,
  smallSettings as settings,
  startProcess,
} from '../../../test/support/data-directory.ts'
import { identityOf } from './process-identity.ts'
import { findEmbedded, startEmbedded } from './start-embedded.ts'
import { stopLeftServer } from './stop-server.ts'

const isRoot = process.getuid?.() === 0

const START = `
  const embedded = await postgres.startEmbedded({ dataDir, settings })
  console.log(embedded.postmasterPid())`

test('a server whose process was killed is adopted with its data', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  const child = startProcess(t, dataDir, START)
  const pid = Number(await firstLine(child))
  const { host } = await findEmbedded(dataDir)
  await query(host, `create table paid as select 'rent' as what`)
  await killHard(child)

  const embedded = await startEmbedded({ dataDir, settings })
  assert.equal(embedded.adopted, true)
  assert.equal(embedded.postmasterPid(), pid)
  assert.deepEqual(await query(embedded.socketDir, 'select what from paid'), [{ what: 'rent' }])
  await embedded.stop()
})

test('Ctrl-C in a terminal does not take the database away from a draining process', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  const child = startProcess(t, dataDir, START, { detached: true }) // leads a group, as in a shell
  const pid = Number(await firstLine(child))
  process.kill(-(child.pid ?? assert.fail()), 'SIGINT')
  await once(child, 'exit')
  await sleep(200)
  assert.equal((await findEmbedded(dataDir)).host, join(dataDir, 'pg'))
  assert.notEqual(identityOf(pid), undefined)
})

test(
  'an ordinary user starts it as itself',
  { skip: !isRoot && 'the other tests do' },
  async (t) => {
    const dataDir = await givenDataDirectory(t)
    const nobody = { uid: 65_534, gid: 65_534 }
    await chown(dirname(dataDir), nobody.uid, nobody.gid)
    const pid = Number(await firstLine(startProcess(t, dataDir, START, nobody)))
    assert.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^Uid:\s65534\s65534\s/m)
    assert.equal((await stat(join(dataDir, 'pg'))).uid, nobody.uid)
  },
)

test('a server killed together with its process recovers what was committed', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  const child = startProcess(t, dataDir, START)
  const pid = Number(await firstLine(child))
  const { host } = await findEmbedded(dataDir)
  await query(host, 'create table paid as select generate_series(1, 20000) as number')
  await killHard(child)
  process.kill(pid, 'SIGKILL')

  const embedded = await startEmbedded({ dataDir, settings })
  assert.equal(embedded.adopted, false)
  const [row] = await query(embedded.socketDir, 'select count(*)::integer as paid from paid')
  assert.deepEqual(row, { paid: 20_000 })
  await embedded.stop()
})

test('a server that dies alone is started again at the same place', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  const reports: string[] = []
  const report = (line: string) => reports.push(line)
  const embedded = await startEmbedded({ dataDir, settings, report })
  await query(embedded.socketDir, 'create table paid (what text)')
  const pid = embedded.postmasterPid()
  process.kill(pid, 'SIGKILL')
  while (embedded.postmasterPid() === pid) await sleep(50)
  assert.deepEqual(await query(embedded.socketDir, 'select what from paid'), [])
  assert.match(reports.join('\n'), /has died.*\nPostgreSQL is back after \d+ ms/)
  await embedded.stop()
  await sleep(600)
  await assert.rejects(access(join(dataDir, 'pg', 'postmaster.pid')))
})

test('killed at any moment of the first start, the next one always gets there', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const seen = new Set<string>()
  for (const delayMs of [150, 300, 450, 600, 800]) {
    const child = startProcess(t, dataDir, START)
    await Promise.race([sleep(delayMs), firstLine(child)])
    await killHard(child)
    const found = await readdir(dataDir).catch((): string[] => [])
    seen.add(
      found.includes('pg') ? 'complete' : found.includes('pg.new') ? 'unfinished' : 'nothing',
    )
  }
  t.diagnostic(`found after the kills: ${[...seen].join(', ')}`)
  const embedded = await startEmbedded({ dataDir, settings })
  assert.equal((await query(embedded.socketDir, 'select 1')).length, 1)
  await assert.rejects(access(join(dataDir, 'pg.new')))
  await embedded.stop()
})

test('a copy of a data directory starts beside the original and is not taken for it', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  const original = await startEmbedded({ dataDir, settings })
  const copied = join(dirname(dataDir), 'copied')
  t.after(() => stopLeftServer(join(copied, 'pg')))
  await cp(dataDir, copied, { recursive: true, filter: (path) => !path.includes('.s.PGSQL') })
  await giveTo(join(copied, 'pg'), (await stat(join(dataDir, 'pg'))).uid)
  await assert.rejects(findEmbedded(copied), /No database runs on/)
  const copy = await startEmbedded({ dataDir: copied, settings })
  assert.equal(copy.adopted, false)
  assert.notEqual(copy.postmasterPid(), original.postmasterPid())
  await copy.stop()
  assert.notEqual(identityOf(original.postmasterPid()), undefined)
  await original.stop()
})

test('a pid that has gone to another program does not keep the server from starting', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  const stranger = startProcess(t, dataDir, `console.log('ready')`)
  await firstLine(stranger)
  const clusterDir = join(dataDir, 'pg')
  const left = [
    stranger.pid,
    '/proc/self/cwd',
    1_700_000_000,
    5432,
    '.',
    '',
    '  123456  7',
    'ready',
  ]
  await writeFile(join(clusterDir, 'postmaster.pid'), `${left.join('\n')}\n`)
  await writeFile(join(clusterDir, '.s.PGSQL.5432.lock'), `${left.slice(0, 6).join('\n')}\n`)

  const embedded = await startEmbedded({ dataDir, settings })
  assert.notEqual(embedded.postmasterPid(), stranger.pid)
  assert.equal(stranger.exitCode, null)
  const [pid] = (await readFile(join(clusterDir, 'postmaster.pid'), 'utf8')).split('\n')
  assert.equal(Number(pid), embedded.postmasterPid())
  await embedded.stop()
})

// fs.cp gives what root copies to root.
async function giveTo(directory: string, uid: number): Promise<void> {
  for (const name of await readdir(directory, { recursive: true })) {
    await chown(join(directory, name), uid, -1)
  }
  await chown(directory, uid, -1)
}
