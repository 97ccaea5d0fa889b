import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Command } from '../../platform/command.ts'
import { openPools } from '../../platform/db/pools.ts'
import { statement } from '../../platform/db/statement.ts'
import { accept } from '../../platform/errors.ts'
import { knownId, newId } from '../../platform/ids.ts'
import { type FaultProxy, startFaultProxy } from '../../../test/support/fault-proxy.ts'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'
import { checkLedger } from './check-ledger.ts'
import { type NewTransaction, postTransactions } from './post-transactions.ts'

/** What goes wrong around a posting: lost answers, lost connections, a poisoned neighbour, a bad clock. */
let world: LedgerWorld
let proxy: FaultProxy
let bank: string
before(async () => {
  world = await startLedgerWorld(async ({ connection }) => {
    proxy = await startFaultProxy(connection)
    return openPools(proxy.connection, () => undefined).money
  })
  bank = await world.givenAccount({ role: 'bank' })
})
after(async () => {
  await world?.close()
  await proxy?.close()
})

async function posted(account: string): Promise<number> {
  return (await world.call('GET', `/ledger/accounts/${account}`)).body['balances'].posted
}

function post(account: string, amount: number, key: string, changes: object = {}) {
  const body = transfer(bank, account, amount, changes)
  return world.call('POST', '/ledger/transactions', { body, key })
}

function move(account: string, amount: bigint, changes: Partial<NewTransaction> = {}) {
  return {
    transactionId: newId(new Date()),
    type: 'book_transfer',
    legs: [
      { accountId: knownId(bank), currency: 'EUR', amount },
      { accountId: knownId(account), currency: 'EUR', amount: -amount },
    ],
    ...changes,
  }
}

test('a COMMIT that nobody heard of is answered as if it had been, and booked once', async () => {
  const account = await world.givenAccount()
  proxy.swallowCommits(1)
  const before = proxy.swallowed
  const made = await post(account, 70, 'unheard')
  assert.equal(proxy.swallowed, before + 1)
  assert.equal(made.status, 201, made.text)
  const again = await post(account, 70, 'unheard')
  assert.equal(again.text, made.text)
  assert.equal(await posted(account), 70)
})

test('forty requests, every answer to a COMMIT lost three times: each is booked once', async () => {
  const account = await world.givenAccount()
  proxy.swallowCommits(3)
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) => post(account, 1, `lost-${index}`)),
  )
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
  assert.equal(new Set(answers.map(({ body }) => body['id'])).size, 40)
  assert.equal(await posted(account), 40)
})

test('a connection that breaks before COMMIT costs a repetition and nothing else', async () => {
  const account = await world.givenAccount()
  proxy.delay(30)
  const asked = Promise.all(
    Array.from({ length: 10 }, (_, index) => post(account, 1, `broken-${index}`)),
  )
  setTimeout(() => proxy.reset(), 40)
  const answers = await asked
  proxy.delay(0)
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
  assert.equal(await posted(account), 10)
})

test('one poisoned item of 500 fails alone', async () => {
  const account = await world.givenAccount()
  const poison = 250
  // PostgreSQL takes no zero byte in a text, and no check of ours looks at one that came this way.
  const outcomes = await Promise.allSettled(
    Array.from({ length: 500 }, (_, index) =>
      world.batcher.perform(
        postTransactions,
        world.asked(move(account, 1n, index === poison ? { description: 'bad\0text' } : {})),
      ),
    ),
  )
  const failed = outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))
  assert.deepEqual(failed, [poison])
  assert.equal(await posted(account), 499)
})

test('a failed statement ends in ROLLBACK, and nobody is told 201', async () => {
  const account = await world.givenAccount()
  const broken = statement(`select 1 / 0 as tenant_id`)
  const careless: Command<NewTransaction, object, unknown> = {
    name: 'careless_posting',
    lock: postTransactions.lock as never,
    async run(tx, requests, held) {
      await postTransactions.run(tx, requests, held as never)
      await broken(tx).catch(() => undefined) // swallows what the database has said
      return requests.map(() => accept({}))
    },
  }
  const input = move(account, 5n)
  const answer = world.batcher.submit(careless, world.asked(input), {
    idempotency: { principal: 'cli_test', key: 'careless', fingerprint: 'ab', objectId: null },
    answer: () => ({ status: 201, body: '{}' }),
  })
  await assert.rejects(answer)
  assert.equal(await posted(account), 0)
  const keys = await world.query(`select 1 from platform.idempotency_keys where key = 'careless'`)
  assert.deepEqual(keys, [])
})

test('when the clock steps back ten seconds, booked_at still rises', async () => {
  const account = await world.givenAccount()
  await post(account, 1, 'clock-1')
  // The account's last entry now lies ten seconds ahead of the database's clock.
  await world.asOwner(
    `alter table ledger.entries disable trigger written_once`,
    `alter table ledger.transactions disable trigger written_once`,
    ...['entries', 'transactions'].map(
      (table) => `update ledger.${table} set booked_at = booked_at + interval '10 seconds'
        where transaction_id in (select transaction_id from ledger.entries where account_id = '${knownId(account)}')`,
    ),
    `update ledger.balances b set last_booked_at = e.booked_at from (
       select tenant_id, account_id, max(booked_at) as booked_at from ledger.entries group by 1, 2) e
     where e.tenant_id = b.tenant_id and e.account_id = b.account_id`,
    `alter table ledger.entries enable trigger written_once`,
    `alter table ledger.transactions enable trigger written_once`,
  )
  for (const key of ['clock-2', 'clock-3']) await post(account, 1, key)
  const { body } = await world.call('GET', `/ledger/accounts/${account}/entries?order=asc`)
  const times = (body['data'] as { booked_at: string }[]).map((entry) => entry.booked_at)
  assert.deepEqual(times, [...new Set(times)].toSorted())
  assert.ok(Date.parse(times[1] as string) > Date.now() + 5_000)
})

test('after all this the books are sound, and every transaction has its event and its audit row', async () => {
  const { violations, seen } = await checkLedger(world.database.pools.report)
  assert.deepEqual(violations, [])
  assert.ok(seen.entries > 1_000n)
  const untold = await world.query(
    `select t.transaction_id from ledger.transactions t
     where not exists (select 1 from platform.events e where e.tenant_id = t.tenant_id
                         and e.object_id = t.transaction_id and e.type = 'ledger.transaction.posted')
        or not exists (select 1 from audit.events a where a.tenant_id = t.tenant_id and a.resource_id = t.transaction_id)`,
  )
  assert.deepEqual(untold, [])
})
