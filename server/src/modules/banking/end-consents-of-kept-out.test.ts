import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BankingWorld, startBankingWorld } from '../../../test/support/banking-world.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { endConsentsOfKeptOut } from './end-consents-of-kept-out.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

const end = (...ended: Parameters<typeof endConsentsOfKeptOut>[1]) =>
  inTransaction(world.pools.money, (tx) => endConsentsOfKeptOut(tx, ended))

async function stateOf(id: string, bank = 'cli_bank'): Promise<unknown> {
  const { body } = await world.call(bank, 'GET', `/api/consents/${id}`)
  return body['status']
}

test('all consents of a person end, for every app, and nobody else’s', async () => {
  const { anna, bert, id: tenantId } = world.home
  const [one, two] = [
    await world.givenConsent(anna, [], { clientId: 'cli_one' }),
    await world.givenConsent(anna, [], { clientId: 'cli_two' }),
  ]
  const berts = await world.givenConsent(bert, [], { clientId: 'cli_one' })
  const at = new Date()
  await end({ tenantId, userId: anna.userId, reason: 'user_disabled', at })
  assert.deepEqual(
    [await stateOf(one.id), await stateOf(two.id), await stateOf(berts.id)],
    ['revoked', 'revoked', 'authorised'],
  )
  assert.equal((await world.call(one.actor, 'GET', '/api/accounts')).status, 403)
  const revoked = await world.asOwner<{ reason: string }>(
    `select reason from identity.revocations where kind = 'grant' and value = $1`,
    [one.row.grant_id],
  )
  assert.deepEqual(revoked, [{ reason: 'user_disabled' }])
  const acts = await world.asOwner<{ action: string; reason: string }>(
    `select action, reason from audit.events where resource_id = $1`,
    [one.row.id],
  )
  assert.deepEqual(acts, [{ action: 'consent.revoke', reason: 'user_disabled' }])

  await end({ tenantId, userId: anna.userId, reason: 'user_enabled', at: new Date() })
  const events = await world.asOwner(`select 1 from platform.events where object_id = $1`, [
    one.row.id,
  ])
  assert.equal(events.length, 1, 'what has ended does not end again')
})

test('all consents of an app end, also what it had only asked for, in its own tenant', async () => {
  const { home, abroad } = world
  const own = { clientId: 'cli_gone' }
  const given = await world.givenConsent(home.bert, [], own)
  const asked = await world.givenConsent(home.bert, [], {
    ...own,
    state: 'awaiting_authorisation',
    user_id: null,
    party_id: null,
    authorised_at: null,
    grant_id: null,
  })
  const there = await world.givenConsent(abroad.bert, [], { ...own, tenant: abroad })
  const twice = {
    tenantId: home.id,
    clientId: 'cli_gone',
    reason: 'client_disabled',
    at: new Date(),
  }
  await end(twice, twice)
  assert.deepEqual([await stateOf(given.id), await stateOf(asked.id)], ['revoked', 'revoked'])
  assert.equal(await stateOf(there.id, 'cli_bank_abroad'), 'authorised')
})
