import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ALL,
  type BankingWorld,
  OPENING,
  startBankingWorld,
} from '../../../test/support/banking-world.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { knownId, publicId } from '../../platform/ids.ts'
import { endHoldings } from './assign-holders.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

const balance = (actor: string, query = '', headers: Record<string, string> = {}) =>
  world.call(actor, 'GET', `/api/account/balance${query}`, { headers })

test('an app lists the accounts of its consent that are still the customer’s, and no other', async () => {
  const { anna } = world.home
  const [first, second] = anna.accounts as [string, string, string]
  const { actor } = await world.givenConsent(anna, [first, second, world.home.bert.accounts[0]])
  const heard = await world.call(actor, 'GET', '/api/accounts')
  assert.equal(heard.status, 200, heard.text)
  assert.equal(heard.headers['cache-control'], 'no-store')
  const listed = heard.body['data'] as { id: string; type: string; number_masked: string }[]
  assert.deepEqual(
    new Map(listed.map(({ id, type }) => [id, type])),
    new Map([
      [first, 'current'],
      [second, 'savings'],
    ]),
  )
  assert.equal(listed.find(({ id }) => id === first)?.number_masked, '··3000')
})

test('the bank lists the accounts of all customers, page by page', async () => {
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const heard = await world.call(
      'cli_bank',
      'GET',
      `/api/accounts?limit=2${cursor && `&cursor=${cursor}`}`,
    )
    assert.equal(heard.status, 200, heard.text)
    seen.push(...heard.body['data'].map(({ id }: { id: string }) => id))
    cursor = heard.body['next_cursor'] as string | null
  }
  const { anna, bert } = world.home
  assert.equal(new Set(seen).size, seen.length)
  for (const id of [...anna.accounts, ...bert.accounts]) assert.ok(seen.includes(id))
  assert.ok(!seen.includes(publicId('acc', world.home.bank)))
})

test('a balance tells what is booked, on its way out and available', async () => {
  const { anna } = world.home
  const account = await world.givenAccount(anna, { minAvailable: -500n })
  const { actor } = await world.givenConsent(anna, [account])
  const heard = await balance(actor)
  assert.equal(heard.status, 200, heard.text)
  const { as_of: asOf, ...body } = heard.body
  assert.ok(Math.abs(Date.parse(asOf) - Date.now()) < 60_000)
  assert.deepEqual(body, {
    object: 'balance',
    account_id: account,
    currency: 'EUR',
    booked: OPENING,
    pending_in: 0,
    pending_out: 0,
    available: OPENING + 500,
    credit_limit: 500,
    balances: [
      { type: 'available', iso_code: 'ITAV', amount: OPENING + 500 },
      { type: 'booked', iso_code: 'ITBD', amount: OPENING },
    ],
    version: 1,
  })
})

test('without account_id it is the only account, or one must say which', async () => {
  const { anna } = world.home
  const both = await world.givenConsent(anna, anna.accounts)
  const heard = await balance(both.actor)
  assert.deepEqual([heard.status, heard.body['code']], [400, 'account_id_required'])
  const none = await world.givenConsent(anna, [])
  assert.equal((await balance(none.actor)).status, 404)
  assert.equal((await balance('cli_bank')).status, 400)
})

test('a balance that has not changed is not sent again; a hold changes it', async () => {
  const account = await world.givenAccount(world.home.anna)
  const query = `?account_id=${account}`
  const first = await balance('cli_bank', query)
  const etag = first.headers['etag'] as string
  assert.equal(first.headers['cache-control'], 'no-store')
  const known = await balance('cli_bank', query, { 'if-none-match': etag })
  assert.deepEqual([known.status, known.text], [304, ''])
  await world.asOwner('update ledger.balances set debits_pending = 5 where account_id = $1', [
    knownId(account),
  ])
  const held = await balance('cli_bank', query, { 'if-none-match': etag })
  assert.deepEqual([held.status, held.body['available']], [200, OPENING - 5])
})

test('a balance of the past is what was booked by then', async () => {
  const account = await world.givenAccount(world.home.anna)
  const before = '2020-01-01T00:00:00Z'
  const past = await balance('cli_bank', `?account_id=${account}&as_of=${before}`)
  assert.equal(past.status, 200, past.text)
  assert.deepEqual(
    [past.body['booked'], past.body['available'], past.body['as_of']],
    [0, null, before],
  )
  const future = await balance('cli_bank', `?account_id=${account}&as_of=2999-01-01T00:00:00Z`)
  assert.equal(future.status, 400)
})

test('the window of a consent bounds the balances of the past', async () => {
  const { anna } = world.home
  const from = new Date('2026-11-01T00:00:00Z')
  const { actor } = await world.givenConsent(anna, [anna.accounts[0]], { transactions_from: from })
  assert.equal((await balance(actor, '?as_of=2026-10-31T00:00:00Z')).status, 403)
  assert.equal((await balance(actor, '?as_of=2026-11-02T00:00:00Z')).status, 200)
})

test('a consent without the permission, or none, shows nothing', async () => {
  const { anna } = world.home
  const permissions = ['accounts:read']
  const { actor } = await world.givenConsent(anna, [anna.accounts[0]], { permissions })
  assert.equal((await world.call(actor, 'GET', '/api/accounts')).status, 200)
  const heard = await balance(actor)
  assert.deepEqual([heard.status, heard.body['code']], [403, 'consent_required'])
  const itself = world.givenActor('itself', { tenantId: world.home.id, clientId: 'cli_app' })
  assert.equal((await balance(itself)).status, 403)
  assert.equal((await world.call(itself, 'GET', '/api/accounts')).status, 403)
})

test('a scope that the token lacks is asked for by name', async () => {
  const { anna } = world.home
  const scopes = ALL.filter((scope) => scope !== 'balance:read')
  const { actor } = await world.givenConsent(anna, [anna.accounts[0]], { scopes })
  const heard = await balance(actor)
  assert.deepEqual([heard.status, heard.body['code']], [403, 'insufficient_scope'])
})

test('an account that the customer no longer holds is gone from the app’s view', async () => {
  const { anna } = world.home
  const [kept, lost] = [await world.givenAccount(anna), await world.givenAccount(anna)]
  const { actor } = await world.givenConsent(anna, [kept, lost])
  const holding = { tenantId: world.home.id, accountId: knownId(lost), partyId: anna.partyId }
  await inTransaction(world.pools.money, (tx) => endHoldings(tx, { ...holding, at: new Date() }))
  assert.equal((await balance(actor, `?account_id=${lost}`)).status, 404)
  assert.equal((await balance(actor)).body['account_id'], kept)
  const listed = await world.call(actor, 'GET', '/api/accounts')
  assert.equal(listed.body['data'].length, 1)
})
