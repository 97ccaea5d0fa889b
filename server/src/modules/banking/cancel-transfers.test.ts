import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type BankingWorld,
  OPENING,
  startBankingWorld,
} from '../../../test/support/banking-world.ts'
import { publicId } from '../../platform/ids.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

/** A transfer to another bank, which waits. */
async function givenPending(changes: Parameters<BankingWorld['givenConsent']>[2] = {}) {
  const { anna } = world.home
  const from = await world.givenAccount(anna)
  const { actor, row } = await world.givenConsent(anna, [from], changes)
  const payee = { name: 'Landlord', iban: 'DE89370400440532013000', currency: 'EUR' }
  const saved = await world.call(actor, 'POST', '/api/beneficiaries', { body: payee })
  const pay = (amount: number) =>
    world.transfer(actor, { from_account_id: from, beneficiary_id: saved.body['id'], amount })
  const made = await pay(100)
  assert.equal(made.status, 202, made.text)
  return { actor, from, pay, row, path: `/api/transfer/${made.body['id']}/cancel` }
}

const cancel = (actor: string, path: string) => world.call(actor, 'POST', path)

test('a cancelled transfer gives the amount back, to the account and to the limits', async () => {
  const { actor, from, pay, path } = await givenPending({ per_day: 150n })
  assert.equal((await pay(51)).body['code'], 'limit_exceeded')
  const heard = await cancel(actor, path)
  assert.deepEqual(
    [heard.status, heard.body['status'], heard.body['iso_status']],
    [200, 'cancelled', 'CANC'],
  )
  const balance = await world.balanceOf(from)
  assert.deepEqual([balance['pending_out'], balance['available']], [0, OPENING])
  assert.equal((await pay(150)).status, 202)
})

test('it is cancelled once, however often it is asked', async () => {
  const { actor, from, path } = await givenPending()
  const heard = await Promise.all(Array.from({ length: 5 }, () => cancel(actor, path)))
  const made = heard.filter(({ status }) => status === 200)
  assert.equal(made.length, 1)
  assert.ok(
    heard.every(
      ({ body, status }) => status === 200 || body['code'] === 'transfer_not_cancellable',
    ),
  )
  assert.equal((await world.balanceOf(from))['available'], OPENING)
})

test('the bank cancels it too; another customer, app or tenant does not know of it', async () => {
  const { path } = await givenPending()
  const { anna, bert } = world.home
  const berts = await world.givenConsent(bert, bert.accounts)
  const other = await world.givenConsent(anna, anna.accounts, { clientId: 'cli_other' })
  for (const who of [berts.actor, other.actor, 'cli_bank_abroad']) {
    const heard = await cancel(who, path)
    assert.deepEqual([heard.status, heard.body['code']], [404, 'transfer_not_found'])
  }
  const unknown = `/api/transfer/${publicId('trf', crypto.randomUUID())}/cancel`
  assert.equal((await cancel(berts.actor, unknown)).status, 404)
  assert.equal((await cancel('cli_bank', path)).status, 200)
})

test('an app whose consent is gone cancels nothing', async () => {
  const { actor, row, path } = await givenPending()
  await world.asOwner(`update banking.consents set state = 'revoked' where id = $1`, [row.id])
  const heard = await cancel(actor, path)
  assert.deepEqual([heard.status, heard.body['code']], [403, 'consent_required'])
})

test('a booked transfer is past the point of cancelling', async () => {
  const { anna, bert } = world.home
  const { actor } = await world.givenConsent(anna, anna.accounts)
  const body = { from_account_id: anna.accounts[0], to_account_id: bert.accounts[0], amount: 1 }
  const made = await world.transfer(actor, body)
  const heard = await cancel(actor, `/api/transfer/${made.body['id']}/cancel`)
  assert.deepEqual([heard.status, heard.body['code']], [409, 'transfer_not_cancellable'])
})
