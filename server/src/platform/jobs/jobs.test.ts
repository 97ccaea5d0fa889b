import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { PgBoss } from 'pg-boss'
import pg from 'pg'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { housekeeping } from './housekeeping.ts'
import { installJobs, jobsInstalled } from './install-jobs.ts'
import type { Job } from './job.ts'
import { runJobs } from './run-jobs.ts'

let database: TestDatabase
let owner: pg.Client
before(async () => {
  database = await createTestDatabase()
  owner = new pg.Client(database.connection)
  await owner.connect()
})
after(async () => {
  await owner.end()
  await database.close()
})

const unheard = { error: () => undefined, warn: () => undefined }

test('two nodes may install the tables of jobs at the same moment, and again later', async () => {
  assert.equal(await jobsInstalled(owner), false)
  await Promise.all([installJobs(database.connection), installJobs(database.connection)])
  assert.equal(await jobsInstalled(owner), true)
  await installJobs(database.connection)
})

test('a job that was sent is run by the role that owns no table, and a failure is tried again', async () => {
  await installJobs(database.connection)
  let runs = 0
  const faults: unknown[] = []
  const done = new EventTarget()
  const job: Job = {
    name: 'test.count',
    cron: '0 0 1 1 *',
    async run({ pools }) {
      runs += 1
      const { rows } = await pools.due.query('select current_user as role')
      assert.deepEqual(rows, [{ role: 'countinghouse_app' }])
      if (runs === 1) throw new Error('not yet')
      done.dispatchEvent(new Event('done'))
    },
  }
  const logger = { ...unheard, error: (fault: unknown) => faults.push(fault) }
  const { connection, pools } = database
  const jobs = await runJobs({
    connection,
    pools,
    jobs: [job],
    logger: logger as never,
    pollSeconds: 0.5,
  })
  const sender = await givenSender()
  try {
    const heard = once(done, 'done', { signal: AbortSignal.timeout(20_000) })
    await sender.send(job.name, null, { retryDelay: 0, retryBackoff: false })
    await heard
    assert.equal(runs, 2)
    assert.equal(faults.length, 1)
  } finally {
    await sender.stop()
    await jobs.stop()
  }
})

test('a schedule that no release knows any more is taken away', async () => {
  await installJobs(database.connection)
  const { connection, pools } = database
  const old: Job = { name: 'test.old', cron: '0 0 1 1 *', run: () => Promise.resolve() }
  const first = await runJobs({ connection, pools, jobs: [old], logger: unheard as never })
  await first.stop()
  const second = await runJobs({ connection, pools, jobs: housekeeping, logger: unheard as never })
  await second.stop()
  const { rows } = await owner.query<{ name: string }>(
    'select name from pgboss.schedule order by 1',
  )
  assert.deepEqual(
    rows.map(({ name }) => name),
    housekeeping.map(({ name }) => name).toSorted(),
  )
})

test('housekeeping makes the coming months and drops answers that are five weeks old', async () => {
  await owner.query(`
    create table platform.idempotency_responses_y2025m01 partition of platform.idempotency_responses
      for values from ('2025-01-01T00:00Z') to ('2025-02-01T00:00Z')`)
  const signal = AbortSignal.timeout(10_000)
  for (const job of housekeeping) await job.run({ pools: database.pools, signal })
  const { rows } = await owner.query<{ name: string }>(`
    select inhrelid::regclass::text as name from pg_inherits
     where inhparent = 'platform.idempotency_responses'::regclass`)
  assert.equal(rows.filter(({ name }) => name.endsWith('_y2025m01')).length, 0)
  assert.equal(rows.length, 4, 'the default, this month and two ahead')
})

test('the service may drop nothing younger than a week, and no table of its own accord', async () => {
  const { due } = database.pools
  await assert.rejects(due.query('select platform.drop_old_responses(6)'), /7 days at least/)
  await assert.rejects(due.query('drop table platform.idempotency_responses'), /must be owner/)
  await assert.rejects(due.query('create table pgboss.mine (x int)'), /permission denied/)
})

async function givenSender(): Promise<PgBoss> {
  const settings = { ...database.connection, options: '-c role=countinghouse_app', max: 1 }
  const sender = new PgBoss({
    ...(settings as ConstructorParameters<typeof PgBoss>[0] & object),
    migrate: false,
    supervise: false,
    schedule: false,
  })
  return await sender.start()
}
