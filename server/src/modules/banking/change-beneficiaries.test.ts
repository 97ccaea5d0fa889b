import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BankingWorld, startBankingWorld } from '../../../test/support/banking-world.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

async function givenPayee() {
  const { anna, bert } = world.home
  const { actor } = await world.givenConsent(anna, [anna.accounts[0]])
  const body = { name: 'Bert', account_id: bert.accounts[0] }
  const { id } = (await world.call(actor, 'POST', '/api/beneficiaries', { body })).body
  return { actor, path: `/api/beneficiaries/${id}`, id: id as string }
}

test('a payee is renamed', async () => {
  const { actor, path } = await givenPayee()
  const renamed = await world.call(actor, 'PATCH', path, { body: { name: 'Herbert' } })
  assert.deepEqual(
    [renamed.status, renamed.body['name'], renamed.body['version']],
    [200, 'Herbert', 2],
  )
  assert.deepEqual((await world.call(actor, 'GET', path)).body, renamed.body)
})

test('a deleted payee is gone from every route, and nothing is paid to it', async () => {
  const { actor, path, id } = await givenPayee()
  const removed = await world.call(actor, 'DELETE', path)
  assert.deepEqual([removed.status, removed.text], [204, ''])
  for (const method of ['GET', 'DELETE'] as const) {
    assert.equal((await world.call(actor, method, path)).status, 404)
  }
  const body = { name: 'Again' }
  assert.equal((await world.call(actor, 'PATCH', path, { body })).status, 404)
  const from = world.home.anna.accounts[0]
  const paid = await world.transfer(actor, { from_account_id: from, beneficiary_id: id, amount: 1 })
  assert.equal(paid.status, 404)
})

test('another customer’s payee cannot be changed', async () => {
  const { actor, path } = await givenPayee()
  const { bert } = world.home
  const berts = await world.givenConsent(bert, [])
  for (const who of [berts.actor, 'cli_bank', 'cli_bank_abroad']) {
    assert.equal((await world.call(who, 'DELETE', path)).status, 404)
    assert.equal((await world.call(who, 'PATCH', path, { body: { name: 'Me' } })).status, 404)
  }
  assert.equal((await world.call(actor, 'GET', path)).body['name'], 'Bert')
})

test('two changes at once are both made, and both are told', async () => {
  const { actor, path } = await givenPayee()
  await Promise.all([
    world.call(actor, 'PATCH', path, { body: { name: 'One' } }),
    world.call(actor, 'PATCH', path, { body: { name: 'Two' } }),
  ])
  assert.equal((await world.call(actor, 'GET', path)).body['version'], 3)
})
