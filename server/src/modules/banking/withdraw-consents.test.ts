import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type BankingWorld,
  OPENING,
  startBankingWorld,
} from '../../../test/support/banking-world.ts'
import { createBatcher } from '../../platform/batch/batch.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { createTransfers } from './create-transfers.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

async function givenApp() {
  const { anna } = world.home
  const [from, to] = [await world.givenAccount(anna), await world.givenAccount(anna)]
  return { from, to, ...(await world.givenConsent(anna, [from])) }
}

const withdraw = (actor: string, id: string) => world.call(actor, 'DELETE', `/api/consents/${id}`)

test('an app withdraws its consent: what it held is over, on record, and told', async () => {
  const { actor, id, row } = await givenApp()
  const heard = await withdraw(actor, id)
  assert.deepEqual([heard.status, heard.text], [204, ''])
  const seen = await world.call('cli_bank', 'GET', `/api/consents/${id}`)
  assert.deepEqual(
    [seen.body['status'], seen.body['iso_status'], seen.body['revoked_by']],
    ['revoked', 'CANC', world.home.anna.userId],
  )
  const revocations = await world.asOwner<{ value: string }>(
    `select value from identity.revocations where kind = 'grant' and value = $1`,
    [row.grant_id],
  )
  assert.equal(revocations.length, 1)
  const events = await world.asOwner<{ type: string; sequence: number }>(
    `select type, sequence from platform.events where object_id = $1`,
    [row.id],
  )
  assert.deepEqual(events, [{ type: 'consent.revoked', sequence: 2 }])
  const acts = await world.asOwner<{ action: string }>(
    `select action from audit.events where resource_id = $1`,
    [row.id],
  )
  assert.deepEqual(acts, [{ action: 'consent.revoke' }])
  assert.equal((await world.call(actor, 'GET', '/api/accounts')).status, 403)
})

test('withdrawing again changes nothing', async () => {
  const { actor, id, row } = await givenApp()
  const twice = await Promise.all([withdraw(actor, id), withdraw(actor, id)])
  assert.deepEqual(
    twice.map(({ status }) => status),
    [204, 204],
  )
  assert.equal((await withdraw(actor, id)).status, 204)
  const events = await world.asOwner(`select 1 from platform.events where object_id = $1`, [row.id])
  assert.equal(events.length, 1)
})

test('the bank may withdraw it; another app, customer or tenant may not know of it', async () => {
  const { id } = await givenApp()
  const { anna, bert } = world.home
  const other = await world.givenConsent(anna, [], { clientId: 'cli_other' })
  const berts = await world.givenConsent(bert, [])
  for (const actor of [other.actor, berts.actor, 'cli_bank_abroad']) {
    const heard = await withdraw(actor, id)
    assert.deepEqual([heard.status, heard.body['code']], [404, 'consent_not_found'])
    const missing = await withdraw(actor, publicId('con', crypto.randomUUID()))
    assert.deepEqual([missing.status, missing.body['code']], [404, 'consent_not_found'])
    assert.equal((await world.call(actor, 'GET', `/api/consents/${id}`)).status, 404)
  }
  assert.equal((await withdraw('cli_bank', id)).status, 204)
})

test('of 200 transfers that race a withdrawal none commits after its answer, on any node', async () => {
  const { actor, id, from, to, row } = await givenApp()
  const body = { from_account_id: from, to_account_id: to, amount: 1 }
  const otherNode = createBatcher(world.pools.due)
  const app = world.actorNamed(actor)
  const elsewhere = async () => {
    const at = new Date()
    const input = {
      id: newId(at),
      fromAccountId: knownId(from),
      toAccountId: knownId(to),
      beneficiaryId: null,
      amount: 1n,
      currency: 'EUR',
      reference: null,
      endToEndId: null,
      metadata: {},
      isBank: false,
    }
    const asked = { tenantId: row.tenant_id, actor: app, requestId: 'req_test', at, input }
    const outcome = await otherNode.perform(createTransfers, asked)
    assert.ok(outcome.ok || outcome.refusal.code === 'consent_required')
    return outcome.ok
  }
  const here = async () => {
    const { status } = await world.transfer(actor, body)
    assert.ok(status === 201 || status === 403, `${status}`)
    return status === 201
  }
  const outcomes: boolean[] = []
  let madeAtAnswer: number | undefined
  let isOver = false
  const stream = async (pay: () => Promise<boolean>) => {
    for (let times = 0; times < 20; times += 1) outcomes.push(await pay())
  }
  const withdrawal = async () => {
    while (outcomes.length < 60 && !isOver) await new Promise(setImmediate)
    assert.equal((await withdraw(actor, id)).status, 204)
    madeAtAnswer = OPENING - (await world.balanceOf(from))['booked']
  }
  const streams = Array.from({ length: 5 }, () => [stream(here), stream(elsewhere)]).flat()
  const ended = Promise.all(streams).finally(() => {
    isOver = true
  })
  await Promise.all([ended, withdrawal()])
  const made = outcomes.filter(Boolean).length
  assert.equal(outcomes.length, 200)
  assert.ok(made > 0 && made < 200, `${made} made: they did not race`)
  assert.equal(madeAtAnswer, made, 'one was made after the answer')
  assert.equal((await world.balanceOf(from))['booked'], OPENING - made)
})
