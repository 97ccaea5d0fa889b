import assert from 'node:assert/strict'
import { appendFile, lstat, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  givenDataDirectory,
  givenStoppedCluster,
  query,
  smallSettings as settings,
} from '../../../test/support/data-directory.ts'
import { StartError } from '../start-error.ts'
import { identityOf } from './process-identity.ts'
import { findEmbedded, startEmbedded } from './start-embedded.ts'

test('the first start makes a cluster, the second one finds its data and is quick', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const first = await timed(() => startEmbedded({ dataDir, settings }))
  assert.equal(first.value.adopted, false)
  assert.match(first.value.version, /^18\./)
  await query(first.value.socketDir, `create table paid as select 'rent' as what`)
  await first.value.stop()

  const second = await timed(() => startEmbedded({ dataDir, settings }))
  t.diagnostic(`first start ${first.ms} ms, second ${second.ms} ms`)
  assert.ok(second.ms < 2_000, `the second start took ${second.ms} ms`)
  assert.deepEqual(await query(second.value.socketDir, 'select what from paid'), [{ what: 'rent' }])
  await second.value.stop()
})

test('stopping leaves no server behind, and may be asked for twice', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  const embedded = await startEmbedded({ dataDir, settings })
  const pid = embedded.postmasterPid()
  await Promise.all([embedded.stop(), embedded.stop()])
  assert.equal(identityOf(pid), undefined)
  await assert.rejects(stat(join(dataDir, 'pg', 'postmaster.pid')), { code: 'ENOENT' })
})

test('the cluster speaks UTF-8 and UTC, checks its pages and writes through', async (t) => {
  const embedded = await startEmbedded({ dataDir: await givenStoppedCluster(t), settings })
  const rows = await query<{ name: string; setting: string }>(
    embedded.socketDir,
    `select name, setting from pg_settings where name in ('data_checksums', 'fsync', 'listen_addresses',
       'server_encoding', 'synchronous_commit', 'TimeZone', 'dynamic_shared_memory_type',
       'log_parameter_max_length_on_error', 'max_connections')`,
  )
  assert.deepEqual(Object.fromEntries(rows.map(({ name, setting }) => [name, setting])), {
    TimeZone: 'UTC',
    data_checksums: 'on',
    dynamic_shared_memory_type: 'mmap',
    fsync: 'on',
    listen_addresses: '',
    log_parameter_max_length_on_error: '0',
    max_connections: settings.max_connections,
    server_encoding: 'UTF8',
    synchronous_commit: 'on',
  })
  const [locale] = await query(
    embedded.socketDir,
    `select datlocprovider, datlocale from pg_database where datname = current_database()`,
  )
  assert.deepEqual(locale, { datlocprovider: 'b', datlocale: 'C.UTF-8' })
  await embedded.stop()
})

test('the roles api and worker find the running database, and are told when none runs', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  await assert.rejects(findEmbedded(dataDir), refusal(/No database runs on .*countinghouse start/))
  const embedded = await startEmbedded({ dataDir, settings })
  assert.equal((await findEmbedded(dataDir)).host, embedded.socketDir)
  await embedded.stop()
  await assert.rejects(findEmbedded(dataDir), refusal(/No database runs on/))
})

test('a data directory too deep for a socket works, and its other place is tidied up', async (t) => {
  const dataDir = await givenStoppedCluster(t, 'a-rather-long-name-of-a-directory/'.repeat(4))
  const embedded = await startEmbedded({ dataDir, settings })
  assert.ok(join(dataDir, 'pg').length > 107)
  assert.ok(embedded.socketDir.length < 100)
  assert.equal((await stat(embedded.socketDir)).mode & 0o777, 0o700)
  assert.equal((await query(embedded.socketDir, 'select 1')).length, 1)
  await embedded.stop()
  await assert.rejects(lstat(embedded.socketDir), { code: 'ENOENT' })
  const again = await startEmbedded({ dataDir, settings })
  await again.stop()
})

test('a cluster that does not write through is refused, and its culprit named', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  const embedded = await startEmbedded({ dataDir, settings })
  await query(embedded.socketDir, 'alter system set synchronous_commit = off')
  await embedded.stop()
  await assert.rejects(
    startEmbedded({ dataDir, settings }),
    refusal(/synchronous_commit is off \(.*postgresql\.auto\.conf, line \d+\)/),
  )
  await assert.rejects(stat(join(dataDir, 'pg', 'postmaster.pid')), { code: 'ENOENT' })
})

test('a cluster of another major version is refused and left as it is', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  await writeFile(join(dataDir, 'pg', 'PG_VERSION'), '17\n')
  await assert.rejects(
    startEmbedded({ dataDir, settings }),
    refusal(/PostgreSQL 17, this release brings 18.*previous release.*pg_dump/),
  )
})

test('a server that cannot start says why', async (t) => {
  const dataDir = await givenStoppedCluster(t)
  await appendFile(join(dataDir, 'pg', 'postgresql.conf'), 'no_such_setting = 1\n')
  await assert.rejects(
    startEmbedded({ dataDir, settings }),
    refusal(/did not start .*"no_such_setting".*postgres\.log/),
  )
})

const isRoot = process.getuid?.() === 0

test(
  'started as root it runs as another user, below directories closed to that user',
  { skip: isRoot ? false : 'only root can lend PostgreSQL another user' },
  async (t) => {
    const dataDir = await givenDataDirectory(t, 'closed')
    const embedded = await startEmbedded({ dataDir, settings })
    const { uid } = await stat(join(dataDir, 'pg'))
    const status = await readFile(`/proc/${embedded.postmasterPid()}/status`, 'utf8')
    assert.notEqual(uid, 0)
    assert.match(status, new RegExp(`^Uid:\\s${uid}\\s${uid}\\s${uid}`, 'm'))
    assert.match(status, /^Groups:\s*$/m, 'none of the groups of root')
    const ownedByOthers = []
    for (const name of await readdir(dataDir)) {
      if ((await stat(join(dataDir, name))).uid !== 0) ownedByOthers.push(name)
    }
    assert.deepEqual(ownedByOthers, ['pg'])
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700)
    await embedded.stop()
  },
)

function refusal(message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StartError, `not a StartError: ${String(error)}`)
    assert.match(error.message, message)
    return true
  }
}

async function timed<Value>(act: () => Promise<Value>): Promise<{ value: Value; ms: number }> {
  const began = performance.now()
  const value = await act()
  return { value, ms: Math.round(performance.now() - began) }
}
