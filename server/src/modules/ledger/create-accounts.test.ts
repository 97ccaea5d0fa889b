import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { type NewLedgerAccount, createAccounts } from './create-accounts.ts'

let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
  await world.asOwner(
    `insert into ledger.chart_lines (tenant_id, code, role, name, type, normal_side, postable, clearing)
     values ('${world.tenantId}', '2000', 'liabilities', 'Liabilities', 'liability', 'credit', false, false)`,
  )
})
after(() => world?.close())

function account(changes: Partial<NewLedgerAccount> = {}): NewLedgerAccount {
  return {
    accountId: newId(new Date()),
    name: 'Customer',
    line: { role: 'customer_funds' },
    currency: 'EUR',
    minAvailable: 0n,
    maxBalance: null,
    externalId: null,
    metadata: {},
    ...changes,
  }
}

async function stored(accountId: string) {
  const [row] = await world.query<{
    chart_code: string
    normal_side: string
    min_available: bigint
  }>(
    `select a.chart_code, b.normal_side, b.min_available from ledger.accounts a
     join ledger.balances b using (tenant_id, account_id) where account_id = $1`,
    [accountId],
  )
  return row
}

test('an account takes its side from the line it stands under, named by role or code', async () => {
  const [byRole, byCode] = [account(), account({ line: { code: '1010' }, minAvailable: null })]
  assert.deepEqual(verdicts(await world.run(createAccounts, byRole, byCode)), ['ok', 'ok'])
  assert.deepEqual(await stored(byRole.accountId), {
    chart_code: '2010',
    normal_side: 'credit',
    min_available: 0n,
  })
  assert.deepEqual(await stored(byCode.accountId), {
    chart_code: '1010',
    normal_side: 'debit',
    min_available: null,
  })
})

test('what cannot be opened is refused beside what can, and is not written', async () => {
  const asked = [
    account({ line: { role: 'no_such_role' } }),
    account(),
    account({ line: { code: '9999' } }),
    account({ line: { code: '2000' } }),
  ]
  const outcomes = await world.run(createAccounts, ...asked)
  assert.deepEqual(verdicts(outcomes), [
    'chart_line_not_found',
    'ok',
    'chart_line_not_found',
    'account_not_postable',
  ])
  const written = await Promise.all(asked.map(({ accountId }) => stored(accountId)))
  assert.deepEqual(
    written.map((row) => row !== undefined),
    [false, true, false, false],
  )
})

test('an external id opens one account, in one batch or over two', async () => {
  const named = () => account({ externalId: 'cust-1' })
  const [first, second, third] = [named(), named(), named()]
  const once = await world.run(createAccounts, first, second)
  assert.deepEqual(verdicts(once), ['ok', 'account_key_taken'])
  const [again] = await world.run(createAccounts, third)
  const { body } = await world.call('GET', '/ledger/accounts?external_id=cust-1')
  assert.equal(body['data'].length, 1)
  assert.equal(knownId(body['data'][0].id), first.accountId)
  const facts = again?.ok === false ? again.refusal.facts : {}
  assert.equal(facts['existing_id'], body['data'][0].id)
})

test('batches that race for the same external ids open each once', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `race-${index}`)
  const batch = (order: string[]) =>
    world.run(createAccounts, ...order.map((externalId) => account({ externalId })))
  const [one, other] = await Promise.all([batch(names), batch(names.toReversed())])
  const opened = [...verdicts(one), ...verdicts(other)].filter((code) => code === 'ok')
  assert.equal(opened.length, names.length)
})

test('a request that runs again after its COMMIT was not heard finds its own account', async () => {
  for (const externalId of [null, 'ghost']) {
    const asked = world.asked(account({ externalId }))
    await world.run(createAccounts, asked)
    assert.deepEqual(verdicts(await world.run(createAccounts, asked)), ['ok'])
    const events = await world.query('select 1 from platform.events where object_id = $1', [
      asked.input.accountId,
    ])
    assert.equal(events.length, 1)
  }
})

test('two tenants with the same external id have two accounts', async () => {
  const tenantId = await world.givenTenant()
  const mine = account({ externalId: 'same' })
  const theirs = world.asked(account({ externalId: 'same' }), { tenantId })
  assert.deepEqual(verdicts(await world.run(createAccounts, mine)), ['ok'])
  assert.deepEqual(verdicts(await world.run(createAccounts, theirs)), ['ok'])
})

test('a line and a currency are named exactly', async () => {
  const body = { name: 'A', role: 'customer_funds', currency: 'EUR' }
  for (const changed of [
    { ...body, chart_code: '2010' },
    { name: 'A', currency: 'EUR' },
    { ...body, currency: 'XXX' },
    { ...body, min_available: 0.5 },
    { ...body, name: '' },
    { ...body, unknown: 1 },
  ]) {
    const heard = await world.call('POST', '/ledger/accounts', { body: changed })
    assert.equal(heard.status, 400, JSON.stringify(changed))
  }
})

test('an account may be opened below its limit: it has nothing yet', async () => {
  const short = account({ minAvailable: 1n })
  assert.deepEqual(verdicts(await world.run(createAccounts, short)), ['ok'])
  assert.equal((await stored(short.accountId))?.min_available, 1n)
})
