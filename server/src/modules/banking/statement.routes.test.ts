import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type BankingWorld,
  OPENING,
  startBankingWorld,
} from '../../../test/support/banking-world.ts'
import { knownId } from '../../platform/ids.ts'

interface Line {
  readonly [name: string]: unknown
  readonly amount: number
}

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

async function lines(actor: string, account: string, query = ''): Promise<Line[]> {
  const heard = await world.call(actor, 'GET', `/api/accounts/${account}/transactions${query}`)
  assert.equal(heard.status, 200, heard.text)
  assert.equal(heard.headers['cache-control'], 'no-store')
  return heard.body['data'] as Line[]
}

async function givenHistory(changes: Parameters<BankingWorld['givenConsent']>[2] = {}) {
  const { anna, bert } = world.home
  const account = await world.givenAccount(anna)
  const free = await world.givenConsent(anna, [account])
  const pay = (amount: number, more: object = {}) =>
    world.transfer(free.actor, {
      from_account_id: account,
      to_account_id: bert.accounts[0],
      amount,
      ...more,
    })
  const { actor } = await world.givenConsent(anna, [account], changes)
  return { account, actor, pay }
}

test('a statement tells both sides who the other was and what it was for', async () => {
  const { account, actor, pay } = await givenHistory()
  const made = await pay(30, { reference: 'Rent', end_to_end_id: 'e2e-9' })
  const [line] = await lines(actor, account)
  const { booked_at: _at, value_date: _day, ...rest } = line as Line
  assert.deepEqual(rest, {
    object: 'account_transaction',
    id: made.body['transaction_id'],
    transfer_id: made.body['id'],
    amount: 30,
    currency: 'EUR',
    direction: 'debit',
    status: 'booked',
    balance_after: OPENING - 30,
    counterparty: {
      name: 'Bert’s account',
      account_masked: `··${world.home.bert.accounts[0].slice(-4).toUpperCase()}`,
    },
    reference: 'Rent',
    end_to_end_id: 'e2e-9',
    type: 'transfer',
  })
  const { bert } = world.home
  const berts = await world.givenConsent(bert, bert.accounts)
  const [received] = await lines(berts.actor, bert.accounts[0])
  assert.deepEqual(
    [received?.['direction'], received?.['transfer_id'], received?.['reference']],
    ['credit', null, 'Rent'],
  )
})

test('the bank’s own accounts are nobody’s counterparty', async () => {
  const { account, actor } = await givenHistory()
  const [opening] = await lines(actor, account)
  assert.deepEqual([opening?.amount, opening?.['counterparty']], [OPENING, null])
})

test('pages follow each other without gap or repetition, filters narrow them', async () => {
  const { account, actor, pay } = await givenHistory()
  for (const amount of [1, 2, 3, 4, 5]) await pay(amount)
  const seen: number[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const path = `/api/accounts/${account}/transactions?limit=2${cursor && `&cursor=${cursor}`}`
    const heard = await world.call(actor, 'GET', path)
    seen.push(...(heard.body['data'] as Line[]).map(({ amount }) => amount))
    cursor = heard.body['next_cursor'] as string | null
  }
  assert.deepEqual(seen, [5, 4, 3, 2, 1, OPENING])
  const amounts = async (query: string) =>
    (await lines(actor, account, query)).map(({ amount }) => amount)
  assert.deepEqual(await amounts('?direction=credit'), [OPENING])
  assert.deepEqual(await amounts('?min_amount=2&max_amount=3'), [3, 2])
  assert.deepEqual(await amounts('?order=asc&limit=1'), [OPENING])
  assert.deepEqual(await amounts('?from=2999-01-01T00:00:00Z'), [])
})

test('an instant that no calendar of ours has is refused, not stumbled over', async () => {
  const { account, actor } = await givenHistory()
  for (const strange of [
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+14:00',
    '2026-11-23T08:00:00+23:59',
    '2026-11-23T08:00:00-16:00',
    '2026-06-30T23:59:60Z',
  ]) {
    for (const bound of ['from', 'to']) {
      const path = `/api/accounts/${account}/transactions?${bound}=${encodeURIComponent(strange)}`
      const { status, body } = await world.call(actor, 'GET', path)
      assert.deepEqual([status, body['code']], [400, 'invalid_request'], `${bound} ${strange}`)
    }
  }
  for (const fine of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59-14:00']) {
    const path = `/api/accounts/${account}/transactions?from=${encodeURIComponent(fine)}`
    assert.equal((await world.call(actor, 'GET', path)).status, 200, fine)
  }
})

test('the window of a consent hides what lies outside it, on every page', async () => {
  const since = new Date(Date.now() + 1_000)
  const { account, actor, pay } = await givenHistory({ transactions_from: since })
  await pay(1)
  assert.deepEqual(await lines(actor, account), [])
  assert.deepEqual(await lines(actor, account, '?from=2020-01-01T00:00:00Z'), [])
  await new Promise((resolve) => setTimeout(resolve, since.getTime() - Date.now() + 50))
  await pay(2)
  const path = `/api/accounts/${account}/transactions?limit=1`
  const heard = await world.call(actor, 'GET', path)
  assert.deepEqual([heard.body['data'].length, heard.body['has_more']], [1, false])
})

test('what is left after each line is shown only to who may read the balance', async () => {
  const { account, actor } = await givenHistory({ permissions: ['transactions:read'] })
  const [line] = await lines(actor, account)
  assert.equal(line?.['balance_after'], null)
})

test('what waits to leave the bank is pending until it is cancelled', async () => {
  const { account, actor } = await givenHistory()
  const payee = { name: 'Landlord', iban: 'DE89370400440532013000', currency: 'EUR' }
  const saved = await world.call(actor, 'POST', '/api/beneficiaries', { body: payee })
  const made = await world.transfer(actor, {
    from_account_id: account,
    beneficiary_id: saved.body['id'],
    amount: 70,
  })
  const [line] = await lines(actor, account, '?status=pending')
  assert.deepEqual(
    [line?.amount, line?.['transfer_id'], line?.['booked_at'], line?.['counterparty']],
    [70, made.body['id'], null, { name: 'Landlord', account_masked: '··3000' }],
  )
  await world.call(actor, 'POST', `/api/transfer/${made.body['id']}/cancel`)
  assert.deepEqual(await lines(actor, account, '?status=pending'), [])
  const filtered = `/api/accounts/${account}/transactions?status=pending&direction=debit`
  assert.equal((await world.call(actor, 'GET', filtered)).status, 400)
})

test('the bank reads the history of customers, and of no other account', async () => {
  const { account } = await givenHistory()
  assert.equal((await lines('cli_bank', account)).length, 1)
  assert.ok(knownId(account))
})
