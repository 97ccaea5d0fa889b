import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../platform/db/transaction.ts'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'
import { postEntries } from './post-entries.ts'
import type { Post } from './posting.ts'

let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
})
after(() => world?.close())

test('of a thousand postings that race the close of their day, none lands behind it', async () => {
  const [bank, customer] = [await world.givenAccount({ role: 'bank' }), await world.givenAccount()]
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const codes: string[] = []
  let next = 0
  // Fifty callers at a time; the one that comes to number 400 closes the day while the others go on.
  const caller = async () => {
    while (next < 1_000) {
      next += 1
      if (next === 400) await close(yesterday)
      const body = transfer(bank, customer, 1, { effective_on: yesterday })
      const heard = await world.call('POST', '/ledger/transactions', { body })
      codes.push(`${heard.body['code'] ?? heard.status}`)
    }
  }
  await Promise.all(Array.from({ length: 50 }, caller))
  assert.deepEqual([...new Set(codes)].toSorted(), ['201', 'period_closed'])
  const late = await world.query(
    `select e.seq from ledger.entries e join closed_days c on c.day >= e.effective_on
     where e.booked_at > c.closed_at`,
  )
  assert.deepEqual(late, [])
  const { body } = await world.call('GET', `/ledger/accounts/${customer}`)
  assert.equal(body['balances'].posted, codes.filter((code) => code === '201').length)
})

test('a close waits for the postings that are under way', async () => {
  const [bank, customer] = [await world.givenAccount({ role: 'bank' }), await world.givenAccount()]
  const command: Post = {
    kind: 'post',
    tenantId: world.tenantId,
    transactionId: newId(new Date()),
    requestId: 'req_close',
    at: new Date(),
    type: 'under_way',
    legs: [
      { accountId: knownId(bank), currency: 'EUR', amount: 1n },
      { accountId: knownId(customer), currency: 'EUR', amount: -1n },
    ],
  }
  await inTransaction(world.database.pools.money, async (tx) => {
    await postEntries(tx, [command])
    const impatient = world.asOwner(
      `set lock_timeout = '50ms'`,
      `update ledger.books set closed_through = current_date where tenant_id = '${world.tenantId}'`,
    )
    await assert.rejects(impatient, { code: '55P03' })
  })
})

/** Closes a day as a closing will: the row of the books is locked, then the time is taken. */
async function close(day: string): Promise<void> {
  await world.asOwner(
    'create table public.closed_days (day date, closed_at timestamptz)',
    'grant select on public.closed_days to countinghouse_app',
    `with locked as (
       update ledger.books set closed_through = '${day}' where tenant_id = '${world.tenantId}' returning 1
     )
     insert into closed_days select '${day}', clock_timestamp() from locked`,
  )
}
