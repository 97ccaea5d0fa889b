import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'

let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

const day = (offset: number) =>
  new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)

async function book(account: string, amount: number, changes: object = {}) {
  const body = transfer(bank, account, amount, changes)
  const heard = await world.call('POST', '/ledger/transactions', { body })
  assert.equal(heard.status, 201, heard.text)
  return heard.body
}

async function balance(account: string, query: string) {
  const heard = await world.call('GET', `/ledger/accounts/${account}/balance${query}`)
  assert.equal(heard.status, 200, heard.text)
  return heard.body
}

test('what was booked by an instant is told to the microsecond', async () => {
  const account = await world.givenAccount()
  const first = await book(account, 100)
  const second = await book(account, 50)
  const at = (instant: string) => balance(account, `?as_of=${encodeURIComponent(instant)}`)
  const just = (instant: string) => `${instant.slice(0, -7)}${micros(instant, -1)}Z`
  assert.deepEqual(
    (
      await Promise.all([
        at(just(first['booked_at'])),
        at(first['booked_at']),
        at(just(second['booked_at'])),
        at(second['booked_at']),
      ])
    ).map(({ posted, entries }) => [posted, entries]),
    [
      [0, 0],
      [100, 1],
      [100, 1],
      [150, 2],
    ],
  )
})

// The six digits of the fraction, moved by so many microseconds; not across a second's border.
function micros(instant: string, by: number): string {
  return `${Number(instant.slice(-7, -1)) + by}`.padStart(6, '0')
}

test('a backdated entry changes the effective balance from its day on, and no booked one', async () => {
  const account = await world.givenAccount()
  await book(account, 100, { effective_on: day(-5) })
  const before = await balance(account, '')
  await sleep(5)
  await book(account, 30, { effective_on: day(-3) })
  const effective = async (offset: number) =>
    (await balance(account, `?basis=effective&as_of=${day(offset)}`))['posted']
  assert.deepEqual(await Promise.all([-6, -5, -4, -3, 0].map(effective)), [0, 100, 100, 130, 130])
  const then = await balance(account, `?as_of=${encodeURIComponent(before['as_of'])}`)
  assert.deepEqual([then['posted'], then['entries']], [100, 1])
  assert.equal((await balance(account, ''))['posted'], 130)
})

test('an answer says whether it may still change', async () => {
  const account = await world.givenAccount()
  const old = new Date(Date.now() - 60_000).toISOString()
  assert.equal((await balance(account, ''))['final'], false)
  assert.equal((await balance(account, `?as_of=${old}`))['final'], true)
  assert.equal((await balance(account, `?basis=effective&as_of=${day(-1)}`))['final'], false)
  assert.equal((await balance(account, '?basis=effective&as_of=1969-12-31'))['final'], true)
})

test('a time that does not fit the basis is an error, never another answer', async () => {
  const account = await world.givenAccount()
  for (const query of [
    `?as_of=${day(0)}`,
    `?basis=effective&as_of=${new Date().toISOString()}`,
    '?as_of=yesterday',
    '?as_of=0000-01-01T00:00:00Z',
    '?basis=effective&as_of=2026-02-30',
    '?basis=both',
    '?at=2026-11-23',
  ]) {
    const heard = await world.call('GET', `/ledger/accounts/${account}/balance${query}`)
    assert.deepEqual([heard.status, heard.body['code']], [400, 'invalid_request'], query)
  }
})

test('an account that does not exist has no balance and no entries', async () => {
  const unknown = 'acc_01arz3ndektsv4rrffq69g5fav'
  for (const path of ['balance', 'entries', `balance?basis=effective&as_of=${day(0)}`]) {
    const heard = await world.call('GET', `/ledger/accounts/${unknown}/${path}`)
    assert.deepEqual([heard.status, heard.body['code']], [404, 'ledger_account_not_found'], path)
  }
})

test('entries are paged in the order of booking, also those of one batch and one instant', async () => {
  const account = await world.givenAccount()
  const transactions = Array.from({ length: 7 }, (_, index) => transfer(bank, account, index + 1))
  const heard = await world.call('POST', '/ledger/transaction_batches', { body: { transactions } })
  assert.equal(heard.body['booked'], 7, heard.text)
  const last = await book(account, 8)
  for (const order of ['asc', 'desc']) {
    const seen: number[] = []
    let query = `?limit=3&order=${order}`
    for (;;) {
      const { body } = await world.call('GET', `/ledger/accounts/${account}/entries${query}`)
      seen.push(...(body['data'] as { seq: number }[]).map(({ seq }) => seq))
      if (body['has_more'] !== true) break
      query = `?limit=3&order=${order}&cursor=${body['next_cursor']}`
    }
    const all = [1, 2, 3, 4, 5, 6, 7, 8]
    assert.deepEqual(seen, order === 'asc' ? all : all.toReversed())
  }
  const from = encodeURIComponent(last['booked_at'])
  const since = await world.call(
    'GET',
    `/ledger/accounts/${account}/entries?booked_at[gte]=${from}`,
  )
  assert.deepEqual(
    since.body['data'].map(({ seq }: { seq: number }) => seq),
    [8],
  )
  const until = await world.call('GET', `/ledger/accounts/${account}/entries?booked_at[lt]=${from}`)
  assert.equal(until.body['data'].length, 7)
})

test('transactions are filtered by type, time and account, and paged over any of them', async () => {
  const tenantId = await world.givenTenant()
  const from = await world.givenAccount({ tenantId, role: 'bank' })
  const [one, other] = [
    await world.givenAccount({ tenantId }),
    await world.givenAccount({ tenantId }),
  ]
  const made: string[] = []
  for (let index = 0; index < 6; index += 1) {
    const body = transfer(from, index % 2 === 0 ? one : other, 1, {
      type: index < 4 ? 'early' : 'late',
    })
    const heard = await world.call('POST', '/ledger/transactions', { tenantId, body })
    made.push(heard.body['id'])
    await sleep(2)
  }
  const { body: third } = await world.call('GET', `/ledger/transactions/${made[2]}`, { tenantId })
  const list = async (filters: string) => {
    const seen: string[] = []
    let cursor = ''
    do {
      const path = `/ledger/transactions?limit=1&order=asc&${filters}${cursor}`
      const { body } = await world.call('GET', path, { tenantId })
      seen.push(...(body['data'] as { id: string }[]).map(({ id }) => id))
      cursor = body['has_more'] === true ? `&cursor=${body['next_cursor']}` : ''
    } while (cursor !== '')
    return seen.map((id) => made.indexOf(id))
  }
  assert.deepEqual(await list('type=late'), [4, 5])
  assert.deepEqual(await list(`account_id=${one}`), [0, 2, 4])
  assert.deepEqual(await list(`account_id=${one}&type=early`), [0, 2])
  const instant = encodeURIComponent(third['booked_at'])
  assert.deepEqual(await list(`created[gt]=${instant}`), [3, 4, 5])
  assert.deepEqual(await list(`created[lte]=${instant}&account_id=${other}`), [1])
})

test('the trial balance is zero at any time on either basis', async () => {
  const tenantId = await world.givenTenant()
  const from = await world.givenAccount({ tenantId, role: 'bank' })
  const to = await world.givenAccount({ tenantId })
  const book = async (amount: number, effective_on: string) => {
    const body = transfer(from, to, amount, { effective_on })
    return (await world.call('POST', '/ledger/transactions', { tenantId, body })).body
  }
  const first = await book(100, day(-4))
  await book(40, day(-2))
  const trial = async (query: string) => {
    const { body } = await world.call('GET', `/ledger/trial_balance${query}`, { tenantId })
    return {
      lines: body['lines'].map((line: { role: string; debit: number; credit: number }) => [
        line.role,
        line.debit,
        line.credit,
      ]),
      totals: body['totals'],
    }
  }
  const booksOf = (amount: number) => ({
    lines: [
      ['bank', amount, 0],
      ['customer_funds', 0, amount],
    ],
    totals: [{ currency: 'EUR', debit: amount, credit: amount, difference: 0 }],
  })
  assert.deepEqual(await trial(''), booksOf(140))
  assert.deepEqual(await trial(`?as_of=${encodeURIComponent(first['booked_at'])}`), booksOf(100))
  assert.deepEqual(await trial(`?basis=effective&as_of=${day(-3)}`), booksOf(100))
  assert.deepEqual(await trial(`?basis=effective&as_of=${day(-5)}`), booksOf(0))
  assert.deepEqual(await trial('?basis=effective'), booksOf(140))
})
