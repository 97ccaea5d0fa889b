import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BankingWorld, startBankingWorld } from '../../../test/support/banking-world.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

test('a booked transfer is past the point of cancelling', async () => {
  const { anna, bert } = world.home
  const { actor } = await world.givenConsent(anna, anna.accounts)
  const body = { from_account_id: anna.accounts[0], to_account_id: bert.accounts[0], amount: 1 }
  const made = await world.transfer(actor, body)
  const heard = await world.call(actor, 'POST', `/api/transfer/${made.body['id']}/cancel`)
  assert.deepEqual([heard.status, heard.body['code']], [409, 'transfer_not_cancellable'])
})
