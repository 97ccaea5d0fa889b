import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  type BankingWorld,
  type Customer,
  startBankingWorld,
} from '../../../test/support/banking-world.ts'
import type { ConsentAsk, ConsentDecision, ConsentSlot } from '../identity/index.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { consentSlot } from './consent-slot.ts'

let world: BankingWorld
let slot: ConsentSlot
before(async () => {
  world = await startBankingWorld()
  const { pools, db, now } = world
  slot = consentSlot({ pool: pools.money, db, clock: { now } })
})
after(() => world.close())

function ask(customer: Customer, changes: Partial<ConsentAsk> = {}): ConsentAsk {
  return {
    tenantId: world.home.id,
    client: { clientId: 'cli_app', name: 'App', profile: 'standard' },
    user: { userId: customer.userId, partyId: customer.partyId },
    scopes: ['balance:read', 'transfer:write'],
    authorizationDetails: [],
    ...changes,
  }
}

async function allow(asked: ConsentAsk, accountIds: readonly string[]) {
  const grantId = randomBytes(16).toString('base64url')
  const choice = { accountIds, grantId, actorOrigin: '127.0.0.1', at: new Date() }
  return { grantId, decision: await slot.authorise(asked, choice) }
}

function given(decision: ConsentDecision) {
  assert.ok(decision.ok, 'message' in decision ? decision.message : '')
  return decision.consent
}

/** The token of the app under a grant. */
function tokenOf(grantId: string, customer = world.home.anna): string {
  return world.givenActor(grantId, {
    tenantId: world.home.id,
    clientId: 'cli_app',
    customer,
    grantId,
  })
}

test('the page names the open accounts of the customer, and says what may be done', async () => {
  const { anna } = world.home
  const page = await slot.describe(ask(anna))
  const ids = page.accounts.map(({ id }) => id)
  for (const id of anna.accounts) assert.ok(ids.includes(id))
  assert.ok(!ids.includes(world.home.bert.accounts[0]))
  assert.equal(
    page.accounts.find(({ id }) => id === anna.accounts[0])?.label,
    'Current account ··3000, EUR',
  )
  assert.equal(page.permissions.length, 2)
  assert.ok(page.limits.includes('At most 1000.00 EUR in one transfer.'))
  const days = (page.validUntil.getTime() - Date.now()) / 86_400_000
  assert.ok(days > 89 && days < 91)
})

test('without the right to transfer there is nothing to limit', async () => {
  const page = await slot.describe(ask(world.home.anna, { scopes: ['balance:read'] }))
  assert.deepEqual(page.limits, [])
})

test('what the customer allows is what the app can do, from the next request on', async () => {
  const { anna } = world.home
  const { grantId, decision } = await allow(ask(anna), [anna.accounts[0]])
  assert.deepEqual(given(decision).scopes, ['balance:read', 'transfer:write'])
  const app = tokenOf(grantId)
  const heard = await world.call(app, 'GET', '/api/account/balance')
  assert.deepEqual([heard.status, heard.body['account_id']], [200, anna.accounts[0]])
  const most = { from_account_id: anna.accounts[0], to_account_id: world.home.bert.accounts[0] }
  assert.equal((await world.transfer(app, { ...most, amount: 100_001 })).status, 422)
})

test('no account, or one that is not the customer’s, is no consent', async () => {
  const { anna, bert } = world.home
  for (const accounts of [
    [],
    [bert.accounts[0]],
    ['acc_nonsense'],
    [anna.accounts[0], bert.accounts[0]],
  ]) {
    const { grantId, decision } = await allow(ask(anna), accounts)
    assert.equal(decision.ok, false)
    const rows = await world.asOwner('select 1 from banking.consents where grant_id = $1', [
      grantId,
    ])
    assert.equal(rows.length, 0)
  }
})

test('an app that returns is let in by a live consent that covers what it asks', async () => {
  const { anna } = world.home
  const client = { clientId: 'cli_returning', name: 'App', profile: 'standard' } as const
  const asked = ask(anna, { client, scopes: ['balance:read', 'accounts:read'] })
  assert.equal(await slot.liveGrant(asked), undefined)
  const { grantId } = await allow(asked, [anna.accounts[0]])
  assert.equal(await slot.liveGrant(asked), grantId)
  assert.equal(await slot.liveGrant({ ...asked, scopes: ['balance:read'] }), grantId)
  assert.equal(await slot.liveGrant({ ...asked, scopes: ['transfer:write'] }), undefined)
  const someoneElse = { ...asked, user: ask(world.home.bert).user }
  assert.equal(await slot.liveGrant(someoneElse), undefined)
  const at = new Date()
  await inTransaction(world.pools.money, (tx) =>
    slot.grantsEnded(tx, [{ tenantId: world.home.id, grantId, reason: 'refresh_reused', at }]),
  )
  assert.equal(await slot.liveGrant(asked), undefined)
})

test('a grant that ended elsewhere ends its consent, once', async () => {
  const { anna } = world.home
  const { grantId } = await allow(ask(anna), [anna.accounts[0]])
  const ended = [{ tenantId: world.home.id, grantId, reason: 'refresh_reused', at: new Date() }]
  for (let times = 0; times < 2; times += 1) {
    await inTransaction(world.pools.money, (tx) => slot.grantsEnded(tx, ended))
  }
  const rows = await world.asOwner<{ state: string; revoked_by: string; version: number }>(
    'select state, revoked_by, version from banking.consents where grant_id = $1',
    [grantId],
  )
  assert.deepEqual(rows, [{ state: 'revoked', revoked_by: 'sys:authorization_server', version: 2 }])
})

const payment = (changes: object = {}) => ({
  type: 'payment_initiation',
  to_account_id: world.home.bert.accounts[0],
  amount: 1234,
  currency: 'EUR',
  reference: 'Rent',
  ...changes,
})

test('one payment is shown in words, approved, and made as it was approved', async () => {
  const { anna } = world.home
  const client = { clientId: 'cli_app', name: 'App', profile: 'fapi2' } as const
  const scopes = ['transfer:write', 'balance:read']
  const asked = ask(anna, { client, scopes, authorizationDetails: [payment()] })
  const page = await slot.describe(asked)
  assert.match(page.payment ?? '', /^Pay 12\.34 EUR to Bert’s account .* reference “Rent”\.$/)
  const two = await allow(asked, [anna.accounts[0], anna.accounts[1] as string])
  assert.equal(two.decision.ok, false)
  const { grantId, decision } = await allow(asked, [anna.accounts[0]])
  const consent = given(decision)
  assert.deepEqual(consent.scopes, ['transfer:write'])
  assert.equal(consent.authorizationDetails[0]?.['from_account_id'], anna.accounts[0])
  const app = tokenOf(grantId)
  const body = {
    from_account_id: anna.accounts[0],
    to_account_id: world.home.bert.accounts[0],
    amount: 1234,
    reference: 'Rent',
  }
  assert.equal((await world.transfer(app, { ...body, amount: 1235 })).status, 403)
  const made = await world.transfer(app, body)
  assert.equal(made.status, 201, made.text)
  assert.equal((await world.transfer(app, body)).status, 403)
  assert.equal((await world.call(app, 'GET', `/api/transfer/${made.body['id']}`)).status, 200)
  assert.equal((await world.call(app, 'GET', '/api/account/balance')).status, 403)
})

test('a payment from an account that is not the customer’s cannot be approved', async () => {
  const { anna, bert } = world.home
  const details = [payment({ from_account_id: bert.accounts[0], to_account_id: anna.accounts[0] })]
  const { decision } = await allow(ask(anna, { authorizationDetails: details }), [])
  assert.equal(decision.ok, false)
})

test('a fapi2 app without a payment gets no right to transfer', async () => {
  const { anna } = world.home
  const client = { clientId: 'cli_app', name: 'App', profile: 'fapi2' } as const
  const { decision } = await allow(ask(anna, { client }), [anna.accounts[0]])
  assert.deepEqual(given(decision).scopes, ['balance:read'])
})

test('details narrow what may be read, until when, and of which time', async () => {
  const { anna } = world.home
  const until = new Date(Date.now() + 3_600_000)
  const detail = {
    type: 'account_information',
    actions: ['balance:read'],
    account_ids: [anna.accounts[1]],
    valid_until: until.toISOString(),
    transactions_from: '2026-11-01T00:00:00Z',
  }
  const scopes = ['balance:read', 'transactions:read']
  const asked = ask(anna, { scopes, authorizationDetails: [detail] })
  const page = await slot.describe(asked)
  assert.deepEqual(
    page.accounts.filter(({ selected }) => selected).map(({ id }) => id),
    [anna.accounts[1]],
  )
  const { decision } = await allow(asked, [anna.accounts[0]])
  const consent = given(decision)
  assert.deepEqual(consent.scopes, ['balance:read'])
  assert.equal(consent.expiresAt.getTime(), until.getTime())
  assert.deepEqual(consent.authorizationDetails[0]?.['account_ids'], [anna.accounts[0]])
})

test('nothing is granted for longer than 180 days', async () => {
  const { anna } = world.home
  const far = new Date(Date.now() + 400 * 86_400_000).toISOString()
  const detail = { type: 'account_information', actions: ['balance:read'], valid_until: far }
  const { decision } = await allow(ask(anna, { authorizationDetails: [detail] }), [
    anna.accounts[0],
  ])
  const days = (given(decision).expiresAt.getTime() - Date.now()) / 86_400_000
  assert.ok(days > 179 && days <= 180, `${days} days`)
})

test('terms that an app has set before are shown, and hold', async () => {
  const { anna, bert } = world.home
  const app = world.givenActor('itself', { tenantId: world.home.id, clientId: 'cli_app' })
  const body = { permissions: ['transfer:write'], limits: { max_amount: 700 } }
  const { body: made } = await world.call(app, 'POST', '/api/consents', { body })
  const detail = {
    type: 'account_information',
    actions: ['balance:read'],
    consent_id: made['id'],
  }
  const asked = ask(anna, { authorizationDetails: [detail] })
  const page = await slot.describe(asked)
  assert.ok(page.limits.includes('At most 7.00 EUR in one transfer.'))
  const { grantId } = await allow(asked, [anna.accounts[0]])
  const token = tokenOf(grantId)
  const way = { from_account_id: anna.accounts[0], to_account_id: bert.accounts[0] }
  assert.equal((await world.transfer(token, { ...way, amount: 701 })).status, 422)
  assert.equal((await world.transfer(token, { ...way, amount: 700 })).status, 201)
  const read = await world.call(app, 'GET', `/api/consents/${made['id']}`)
  assert.deepEqual([read.body['status'], read.body['user_id']], ['authorised', anna.userId])
  // Another customer cannot take over what one has answered: the page begins anew.
  const other = await slot.describe(ask(bert, { authorizationDetails: [detail] }))
  assert.ok(!other.limits.includes('At most 7.00 EUR in one transfer.'))
})

test('a customer who refuses what an app prepared ends it', async () => {
  const app = world.givenActor('itself2', { tenantId: world.home.id, clientId: 'cli_app' })
  const body = { permissions: ['balance:read'] }
  const { body: made } = await world.call(app, 'POST', '/api/consents', { body })
  const detail = { type: 'account_information', actions: ['balance:read'], consent_id: made['id'] }
  await slot.reject(ask(world.home.anna, { authorizationDetails: [detail] }), new Date())
  const read = await world.call(app, 'GET', `/api/consents/${made['id']}`)
  assert.deepEqual([read.body['status'], read.body['iso_status']], ['rejected', 'RJCT'])
})
