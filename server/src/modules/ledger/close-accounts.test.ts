import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { knownId, publicId } from '../../platform/ids.ts'
import { closeAccounts } from './close-accounts.ts'
import { openAccounts } from './open-accounts.ts'

let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

const close = (account: string) => world.call('POST', `/ledger/accounts/${account}/close`)

test('an empty account is closed once, and booked upon no more', async () => {
  const account = await world.givenAccount()
  const closed = await close(account)
  assert.deepEqual([closed.body['status'], closed.body['version']], ['closed', 2])
  assert.equal((await close(account)).body['version'], 2)
  const heard = await world.call('POST', '/ledger/transactions', {
    body: transfer(bank, account, 1),
  })
  assert.deepEqual([heard.status, heard.body['code']], [409, 'account_closed'])
  const patched = await world.call('PATCH', `/ledger/accounts/${account}`, { body: { name: 'x' } })
  assert.deepEqual([patched.status, patched.body['code']], [409, 'account_closed'])
})

test('an account with money or a hold stays open', async () => {
  const rich = await world.givenAccount()
  await world.givenFunds(rich, 5)
  const held = await world.givenAccount()
  const hold = { debit_account_id: bank, credit_account_id: held, amount: 1, currency: 'EUR' }
  assert.equal((await world.call('POST', '/ledger/holds', { body: hold })).status, 201)
  for (const account of [rich, held]) {
    const heard = await close(account)
    assert.deepEqual([heard.status, heard.body['code']], [409, 'account_not_empty'])
    assert.equal((await world.call('GET', `/ledger/accounts/${account}`)).body['status'], 'open')
  }
})

test('one that cannot be closed is refused beside one that can', async () => {
  const [empty, rich] = [await world.givenAccount(), await world.givenAccount()]
  await world.givenFunds(rich, 5)
  const foreign = await world.givenAccount({ tenantId: await world.givenTenant() })
  const outcomes = await world.run(
    closeAccounts,
    ...[rich, empty, foreign, empty].map((account) => ({ accountId: knownId(account) })),
  )
  assert.deepEqual(verdicts(outcomes), [
    'account_not_empty',
    'ok',
    'ledger_account_not_found',
    'ok',
  ])
})

test('an account that a module keeps for itself is not closed, empty as it is', async () => {
  const key = 'refunds_payable:EUR'
  const spec = {
    tenantId: world.tenantId,
    key,
    role: 'refunds_payable',
    currency: 'EUR',
    name: key,
  }
  const opened = await inTransaction(world.database.pools.money, (tx) =>
    openAccounts(tx, [{ ...spec, at: new Date() }]),
  )
  const account = publicId('acc', opened.get(`${world.tenantId} ${key}`) as string)
  const heard = await close(account)
  assert.deepEqual([heard.status, heard.body['code']], [409, 'account_in_use'])
})
