import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { type TestService, startServiceForTests } from '../support/service.ts'
import { type RanLoad, checkBooks } from './check-books.ts'

/** A checker that never failed proves nothing: each promise is broken once, and found broken. */

let it: TestService
let owner: pg.Client
let folder: string
const acknowledged: string[] = []

before(async () => {
  it = await startServiceForTests()
  folder = await mkdtemp(join(tmpdir(), 'countinghouse-journal-'))
  owner = new pg.Client(it.database.connection)
  await owner.connect()
  // What the guards of the tables would refuse can be planted only past them.
  await owner.query('set session_replication_role = replica')
  await pay('specimen', { type: 'book' })
  for (const count of [1, 2, 3]) await pay(`load-00000000${count}`, { type: 'book' })
  await pay('load-000000004', { type: 'card', card: { token: 'tok_visa' } })
})

after(async () => {
  await owner?.end()
  await it?.close()
  if (folder) await rm(folder, { recursive: true, force: true })
})

async function pay(key: string, method: object): Promise<void> {
  const { customer_a: source, customer_b: recipient } = it.accounts
  const body = {
    amount: 125,
    currency: 'EUR',
    payment_method: method,
    recipient: { type: 'account', account_id: recipient },
    ...('card' in method ? {} : { source: { account_id: source } }),
  }
  const headers = { prefer: 'wait=20' }
  const made = await it.call('POST', '/payments', { body, key, headers })
  assert.equal(made.body['status'], 'completed', JSON.stringify(made.body))
  if (key !== 'specimen') acknowledged.push(`${key} ${String(made.body['id'])}`)
}

interface Case {
  /** SQL that breaks the books, undone afterwards. */
  readonly plant?: string
  readonly totals?: Partial<RanLoad['totals']>
}

/** The promises found broken when the drivers had been told `lines`. */
async function broken(lines: readonly string[], { plant = '', totals = {} }: Case = {}) {
  const journalFile = join(folder, 'journal')
  await writeFile(journalFile, lines.map((line) => `${line}\n`).join(''))
  const honest = { sent: 4, lost: 0, firstProblem: null, statuses: { 201: 4 } }
  const loads = [{ keyPrefix: 'load-', journalFile, totals: { ...honest, ...totals } }]
  const gatewayPort = Number(new URL(it.credentials.gateway.base_url).port)
  await owner.query(`begin; ${plant}`)
  try {
    const verdicts = await checkBooks({ client: owner, tenantId: it.tenantId, gatewayPort, loads })
    return verdicts.filter(({ violations }) => violations > 0).map(({ promise }) => promise)
  } finally {
    await owner.query('rollback')
  }
}

test('nothing is broken after honest work', async () => {
  assert.deepEqual(await broken(acknowledged), [])
})

test('a payment that was acknowledged and is not there is found', async () => {
  const [first = ''] = acknowledged
  const invented = first.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
  assert.deepEqual(await broken([...acknowledged.slice(1), invented]), [
    'every acknowledged payment is stored under its key, completed and announced',
  ])
})

test('a request without a key, and a key without a request, are found', async () => {
  const promise = ['one key for each request, none for others']
  assert.deepEqual(await broken(acknowledged, { totals: { sent: 5 } }), promise)
  assert.deepEqual(await broken(acknowledged, { totals: { sent: 3 } }), promise)
  assert.deepEqual(await broken(acknowledged, { totals: { sent: 5, lost: 1 } }), [])
})

test('a refused request is found', async () => {
  const totals = { statuses: { 201: 3, 503: 1 } }
  assert.deepEqual(await broken(acknowledged, { totals }), ['every request was accepted'])
})

const planted: [what: string, plant: string, found: RegExp[]][] = [
  [
    'a balance that its entries do not explain',
    'update ledger.balances set credits_posted = credits_posted + 1 where last_seq = 6',
    [/every balance is the sum/, /all accounts together/],
  ],
  [
    'an entry that was changed',
    'update ledger.entries set amount = amount - 1 where seq = 2 and amount < 0',
    [/by its parties/, /sums to zero/, /every balance is the sum/, /continues the balance/],
  ],
  [
    'an account below its limit',
    `alter table ledger.balances drop constraint available_floor;
     update ledger.balances set min_available = 9000000000 where min_available is not null`,
    [/below its limit/],
  ],
  [
    'an event that was lost',
    `update platform.events set sequence = sequence + 1 where type = 'payment.completed'`,
    [/numbered without a gap/],
  ],
  [
    'a payment without its audit row',
    `alter table audit.events disable trigger all;
     delete from audit.events where id = (select max(id::text)::uuid from audit.events where detail->>'type' = 'book')`,
    [/what the service wrote for the first/],
  ],
]

for (const [what, plant, found] of planted) {
  test(`${what} is found`, async () => {
    const promises = await broken(acknowledged, { plant })
    assert.equal(promises.length, found.length, promises.join('\n'))
    for (const [index, pattern] of found.entries()) assert.match(promises[index] ?? '', pattern)
  })
}

test('money that the gateway moved and we do not know of is found', async () => {
  const key = '01a20676-e1d2-755e-a6ef-4802fbc795df'
  const instrument = { token: 'tok_visa' }
  await it.gateway.post({ key, operation: 'sale', amount: 125, currency: 'EUR', instrument })
  assert.deepEqual(await broken(acknowledged), [
    'the gateway moved money once for each completed card payment, and for no other',
  ])
})
