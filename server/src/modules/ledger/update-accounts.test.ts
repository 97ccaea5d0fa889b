import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'
import { knownId } from '../../platform/ids.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { updateAccounts } from './update-accounts.ts'

let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

const any = { allowed: undefined }

function patch(account: string, body: object, headers: Record<string, string> = {}) {
  return world.call('PATCH', `/ledger/accounts/${account}`, { body, headers })
}

function post(body: object) {
  return world.call('POST', '/ledger/transactions', { body })
}

test('name, limits, block and metadata change, and nothing else', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  const before = (await world.call('GET', `/ledger/accounts/${account}`)).body
  await patch(account, { metadata: { a: '1', b: '2' } })
  const changed = await patch(account, {
    name: 'Renamed',
    min_available: -500,
    max_balance: 10_000,
    blocked: 'incoming',
    metadata: { a: null, c: '3' },
  })
  assert.equal(changed.status, 200, changed.text)
  assert.deepEqual(changed.body, {
    ...before,
    name: 'Renamed',
    min_available: -500,
    max_balance: 10_000,
    blocked: 'incoming',
    metadata: { b: '2', c: '3' },
    version: 3,
  })
  const events = await world.query<{ type: string; sequence: number }>(
    'select type, sequence from platform.events where object_id = $1 order by sequence',
    [knownId(account)],
  )
  assert.deepEqual(
    events.map(({ type, sequence }) => `${sequence} ${type}`),
    ['1 ledger.account.created', '2 ledger.account.updated', '3 ledger.account.updated'],
  )
})

test('a patch that changes nothing is no version', async () => {
  const account = await world.givenAccount()
  const heard = await patch(account, { name: 'An account', blocked: 'none' })
  assert.equal(heard.body['version'], 1)
})

test('If-Match lets only the version through that was read', async () => {
  const account = await world.givenAccount()
  const { headers } = await world.call('GET', `/ledger/accounts/${account}`)
  const tag = String(headers['etag'])
  assert.equal((await patch(account, { name: 'One' }, { 'if-match': tag })).status, 200)
  const late = await patch(account, { name: 'Two' }, { 'if-match': tag })
  assert.deepEqual([late.status, late.body['code']], [412, 'version_conflict'])
  assert.equal((await patch(account, { name: 'Two' })).status, 200)
})

test('below a limit that was raised, a deposit passes and the next debit does not', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  await world.givenFunds(account, 100)
  await patch(account, { min_available: 1_000 })
  assert.equal((await post(transfer(bank, account, 50))).status, 201)
  const refused = await post(transfer(account, bank, 1))
  assert.deepEqual([refused.body['code'], refused.body['available']], ['insufficient_funds', 150])
  await patch(account, { min_available: 0 })
  assert.equal((await post(transfer(account, bank, 150))).status, 201)
})

test('above a limit that was lowered, money leaves and none comes in', async () => {
  const account = await world.givenAccount({ max_balance: 1_000 })
  await world.givenFunds(account, 1_000)
  const over = await post(transfer(bank, account, 1))
  assert.deepEqual([over.status, over.body['code']], [422, 'balance_limit_exceeded'])
  await patch(account, { max_balance: 100 })
  assert.equal((await post(transfer(account, bank, 10))).status, 201)
  assert.equal((await post(transfer(bank, account, 1))).body['code'], 'balance_limit_exceeded')
})

test('a block stops its direction and no other', async () => {
  const account = await world.givenAccount()
  await world.givenFunds(account, 100)
  for (const [blocked, outgoing, incoming] of [
    ['outgoing', 409, 201],
    ['incoming', 201, 409],
    ['both', 409, 409],
    ['none', 201, 201],
  ] as const) {
    await patch(account, { blocked })
    const out = await post(transfer(account, bank, 1))
    const back = await post(transfer(bank, account, 1))
    assert.deepEqual([out.status, back.status], [outgoing, incoming], blocked)
    if (out.status === 409) assert.equal(out.body['code'], 'account_blocked')
  }
})

test('two updates of one account in a batch are judged one after another', async () => {
  const accountId = knownId(await world.givenAccount())
  const unknown = '00000000-0000-7000-8000-000000000000'
  const outcomes = await world.run(
    updateAccounts,
    { accountId, allowed: [1], name: 'First' },
    { accountId, allowed: [1], name: 'Lost' },
    { accountId: unknown, ...any, name: 'Nobody' },
    { accountId, allowed: [2], minAvailable: -5n },
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'version_conflict', 'ledger_account_not_found', 'ok'])
  const [row] = await world.query(
    `select a.name, a.version, b.min_available from ledger.accounts a
     join ledger.balances b using (tenant_id, account_id) where account_id = $1`,
    [accountId],
  )
  assert.deepEqual(row, { name: 'First', version: 3, min_available: -5n })
})

test('metadata does not grow beyond its limit by patches', async () => {
  const account = await world.givenAccount()
  const keys = (from: number) =>
    Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`k${from + index}`, 'v']))
  assert.equal((await patch(account, { metadata: keys(0) })).status, 200)
  const heard = await patch(account, { metadata: keys(30) })
  assert.deepEqual([heard.status, heard.body['code']], [422, 'metadata_too_large'])
})

test('an account of another tenant cannot be changed', async () => {
  const account = await world.givenAccount()
  const tenantId = await world.givenTenant()
  const heard = await world.call('PATCH', `/ledger/accounts/${account}`, {
    body: { name: 'Mine' },
    tenantId,
  })
  assert.deepEqual([heard.status, heard.body['code']], [404, 'ledger_account_not_found'])
})
