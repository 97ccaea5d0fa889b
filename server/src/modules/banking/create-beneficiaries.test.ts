import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BankingWorld, startBankingWorld } from '../../../test/support/banking-world.ts'
import { publicId } from '../../platform/ids.ts'

const IBAN = 'DE89370400440532013000'
let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

const save = (actor: string, body: object) =>
  world.call(actor, 'POST', '/api/beneficiaries', { body })

test('a payee of the bank is saved and paid like an account', async () => {
  const { anna, bert } = world.home
  const { actor } = await world.givenConsent(anna, [anna.accounts[0]])
  const saved = await save(actor, { name: 'Bert', account_id: bert.accounts[0] })
  assert.equal(saved.status, 201, saved.text)
  assert.deepEqual([saved.body['currency'], saved.body['iban']], ['EUR', null])
  const body = {
    from_account_id: anna.accounts[0],
    beneficiary_id: saved.body['id'],
    amount: 10,
  }
  const made = await world.transfer(actor, body)
  assert.deepEqual(
    [made.status, made.body['to_account_id'], made.body['beneficiary_id']],
    [201, bert.accounts[0], saved.body['id']],
  )
})

test('what is paid to another bank is held and honest about it', async () => {
  const { anna } = world.home
  const account = await world.givenAccount(anna, { funds: 100 })
  const { actor } = await world.givenConsent(anna, [account])
  const saved = await save(actor, {
    name: 'Landlord',
    iban: 'de89 3704 0044 0532 0130 00',
    currency: 'EUR',
  })
  assert.equal(saved.body['iban'], IBAN, saved.text)
  const body = { from_account_id: account, beneficiary_id: saved.body['id'], amount: 60 }
  const made = await world.transfer(actor, body)
  assert.deepEqual(
    [made.status, made.body['status'], made.body['iso_status'], made.body['booked_at']],
    [202, 'pending', 'PDNG', null],
  )
  const balance = await world.balanceOf(account)
  assert.deepEqual([balance['booked'], balance['pending_out'], balance['available']], [100, 60, 40])
  const short = await world.transfer(actor, { ...body, amount: 41 })
  assert.deepEqual([short.status, short.body['code']], [422, 'insufficient_funds'])
})

test('an IBAN that cannot be one, or an account that is not, is not saved', async () => {
  const { anna } = world.home
  const { actor } = await world.givenConsent(anna, [])
  const wrong = await save(actor, { name: 'X', iban: 'DE89370400440532013001', currency: 'EUR' })
  assert.deepEqual([wrong.status, wrong.body['code']], [422, 'iban_invalid'])
  for (const id of [
    world.abroad.anna.accounts[0],
    publicId('acc', world.home.bank),
    publicId('acc', crypto.randomUUID()),
  ]) {
    const heard = await save(actor, { name: 'X', account_id: id })
    assert.deepEqual([heard.status, heard.body['code']], [404, 'bank_account_not_found'])
  }
  for (const body of [
    { name: 'X' },
    { name: 'X', iban: IBAN },
    { name: ' ', iban: IBAN, currency: 'EUR' },
    { name: 'X', iban: IBAN, currency: 'EUR', account_id: anna.accounts[0] },
  ]) {
    assert.equal((await save(actor, body)).status, 400)
  }
})

test('a list of payees is its party’s: no other customer, tenant or the bank itself pays from it', async () => {
  const { anna, bert } = world.home
  const { actor } = await world.givenConsent(anna, [])
  const { id } = (await save(actor, { name: 'Landlord', iban: IBAN, currency: 'EUR' })).body
  const berts = await world.givenConsent(bert, bert.accounts)
  const abroad = world.abroad.anna
  const foreign = await world.givenConsent(abroad, abroad.accounts, { tenant: world.abroad })
  for (const [who, account] of [
    [berts.actor, bert.accounts[0]],
    [foreign.actor, abroad.accounts[0]],
    ['cli_bank', bert.accounts[0]],
  ] as const) {
    assert.equal((await world.call(who, 'GET', `/api/beneficiaries/${id}`)).status, 404)
    const paid = await world.transfer(who, {
      from_account_id: account,
      beneficiary_id: id,
      amount: 1,
    })
    assert.deepEqual([paid.status, paid.body['code']], [404, 'beneficiary_not_found'])
    const listed = await world.call(who, 'GET', '/api/beneficiaries?limit=200')
    assert.ok(!(listed.body['data'] as { id: string }[]).some((one) => one.id === id))
  }
})

test('without a consent to transfers no list of payees is kept', async () => {
  const { anna } = world.home
  const { actor } = await world.givenConsent(anna, [], { permissions: ['balance:read'] })
  const saved = await save(actor, { name: 'Landlord', iban: IBAN, currency: 'EUR' })
  assert.deepEqual([saved.status, saved.body['code']], [403, 'consent_required'])
  assert.equal((await world.call(actor, 'GET', '/api/beneficiaries')).status, 403)
})
