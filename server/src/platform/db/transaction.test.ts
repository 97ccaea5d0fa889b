import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import { type FaultProxy, startFaultProxy } from '../../../test/support/fault-proxy.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { type Pools, openPools } from './pools.ts'
import { databaseOver } from './dialect.ts'
import { statement } from './statement.ts'
import { inTransaction, sqlState } from './transaction.ts'

/** What is written with `send` has nobody who looks at its result before COMMIT. */
let database: TestDatabase
let proxy: FaultProxy
let pools: Pools
let owner: pg.Client
before(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.connection)
  pools = openPools(proxy.connection, () => undefined)
  owner = new pg.Client(database.connection)
  await owner.connect()
  await owner.query(`
    create table public.notes (id int primary key, owner uuid);
    grant select, insert, delete on public.notes to countinghouse_app`)
})
after(async () => {
  await owner?.end()
  await pools?.close()
  await proxy?.close()
  await database?.close()
})
beforeEach(() => owner.query('delete from public.notes'))

const insertIds = statement('insert into public.notes (id) select * from unnest($1::int[])')
const insertOwners = statement(`
  insert into public.notes (id, owner) select n, o from unnest($1::uuid[]) with ordinality as u (o, n)`)

async function notes(): Promise<number[]> {
  const { rows } = await owner.query<{ id: number }>('select id from public.notes order by id')
  return rows.map(({ id }) => id)
}

test('what was sent is there once the transaction is answered', async () => {
  const result = await inTransaction(pools.money, (tx) => {
    insertIds.send(tx, [1, 2])
    insertIds.send(tx, [3])
    return Promise.resolve('done')
  })
  assert.equal(result, 'done')
  assert.deepEqual(await notes(), [1, 2, 3])
})

test('a statement that fails under way takes its neighbours and the COMMIT with it', async () => {
  const doomed = inTransaction(pools.money, (tx) => {
    insertIds.send(tx, [1])
    insertIds.send(tx, [1])
    insertIds.send(tx, [2])
    return Promise.resolve()
  })
  await assert.rejects(doomed, (error) => sqlState(error) === '23505')
  assert.deepEqual(await notes(), [])
  await inTransaction(pools.money, (tx) => Promise.resolve(insertIds.send(tx, [4])))
  assert.deepEqual(await notes(), [4], 'the connection serves the next transaction')
})

test('what cannot be encoded is never followed by a COMMIT', async () => {
  const doomed = inTransaction(pools.money, (tx) => {
    insertIds.send(tx, [1])
    insertOwners.send(tx, ['no uuid'])
    return Promise.resolve()
  })
  await assert.rejects(doomed, /not a uuid/)
  assert.deepEqual(await notes(), [])
})

test('a lost answer to writes and COMMIT is unknown: the closure runs again', async () => {
  let runs = 0
  proxy.swallowCommits(1)
  await inTransaction(pools.money, (tx) => {
    runs += 1
    insertIds.send(tx, [runs])
    return Promise.resolve()
  })
  assert.equal(runs, 2)
  assert.deepEqual(await notes(), [1, 2], 'the first had been committed unheard')
})

test('outside a transaction nothing can be sent', () => {
  assert.throws(() => insertIds.send(databaseOver(pools.read), [1]), /not inside inTransaction/)
})
