import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { type TestService, startServiceForTests } from '../../../test/support/service.ts'
import { Transaction } from './history.schema.ts'

let it: TestService
before(async () => {
  it = await startServiceForTests()
  await tellAStory()
})
after(() => it.close())

interface Listed {
  readonly data: Transaction[]
  readonly has_more: boolean
  readonly next_cursor: string | null
}

/** What happened, by name; ids are public. */
const story: Record<'paid' | 'payment' | 'split' | 'wrong' | 'undone', string> = {
  paid: '',
  payment: '',
  split: '',
  wrong: '',
  undone: '',
}

/** A book payment, a transaction of three entries, and one that is taken back. */
async function tellAStory(): Promise<void> {
  const { customer_a: a, customer_b: b, operating } = it.accounts
  const payment = await post('/payments', {
    amount: 1_250,
    currency: 'EUR',
    payment_method: { type: 'book' },
    source: { account_id: a },
    recipient: { type: 'account', account_id: b },
    external_id: 'order-1042',
    description: 'Two chairs',
  })
  story.payment = String(payment['id'])
  story.paid = (payment['ledger_transaction_ids'] as string[])[0] as string
  const split = await post('/ledger/transactions', {
    type: 'split',
    external_id: 'split-7',
    description: 'Commission kept',
    metadata: { order: '7' },
    entries: [
      { account_id: a, direction: 'debit', amount: 1_000, currency: 'EUR' },
      { account_id: b, direction: 'credit', amount: 900, currency: 'EUR' },
      { account_id: operating, direction: 'credit', amount: 100, currency: 'EUR' },
    ],
  })
  story.split = String(split['id'])
  const wrong = await post('/ledger/transactions', {
    type: 'transfer',
    effective_on: '2026-01-15',
    entries: [
      { account_id: b, direction: 'debit', amount: 77, currency: 'EUR' },
      { account_id: a, direction: 'credit', amount: 77, currency: 'EUR' },
    ],
  })
  story.wrong = String(wrong['id'])
  const undone = await post(`/ledger/transactions/${story.wrong}/reverse`, {})
  story.undone = String(undone['id'])
}

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const heard = await it.call('POST', path, { body })
  assert.equal(heard.status, 201, JSON.stringify(heard.body))
  return heard.body
}

async function list(query: Readonly<Record<string, string>> = {}, token?: string): Promise<Listed> {
  const path = `/transactions?${new URLSearchParams(query).toString()}`
  const heard = await it.call('GET', path, token === undefined ? {} : { token })
  assert.equal(heard.status, 200, JSON.stringify(heard.body))
  return heard.body as unknown as Listed
}

async function idsOf(query: Readonly<Record<string, string>>): Promise<string[]> {
  return (await list(query)).data.map(({ id }) => id)
}

async function shown(id: string): Promise<Transaction> {
  const found = (await list()).data.find((transaction) => transaction.id === id)
  assert.ok(found, id)
  return found
}

test('the history holds every transaction of the ledger, newest first', async () => {
  const { data, has_more: more } = await list()
  assert.deepEqual(
    data.map(({ type }) => type),
    [
      'transfer_reversal',
      'transfer',
      'split',
      'book_payment',
      'opening_balance',
      'opening_balance',
    ],
  )
  assert.equal(more, false)
  const isAnAnswer = ajvFormats.default(new Ajv2020({ strict: false })).compile(Transaction)
  for (const transaction of data) {
    assert.ok(isAnAnswer(transaction), JSON.stringify(isAnAnswer.errors))
  }
})

test('a payment shows in it with its reference, its status and the accounts that it moved money between', async () => {
  const { customer_a: a, customer_b: b } = it.accounts
  const { booked_at: bookedAt, effective_on: day, ...rest } = await shown(story.paid)
  assert.match(bookedAt, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  assert.equal(day, bookedAt.slice(0, 10))
  assert.deepEqual(rest, {
    id: story.paid,
    object: 'transaction',
    type: 'book_payment',
    status: 'posted',
    amount: 1_250,
    currency: 'EUR',
    description: 'Two chairs',
    reference: 'order-1042',
    payment_id: story.payment,
    payment_status: 'completed',
    debit_account_id: a,
    credit_account_id: b,
    reverses_transaction_id: null,
    reversed_by_transaction_id: null,
    metadata: {},
    entries: [
      { account_id: a, direction: 'debit', amount: 1_250, currency: 'EUR', balance_after: 998_750 },
      {
        account_id: b,
        direction: 'credit',
        amount: 1_250,
        currency: 'EUR',
        balance_after: 1_001_250,
      },
    ],
  })
})

test('a transaction of three entries names no single account on either side', async () => {
  const split = await shown(story.split)
  assert.equal(split.debit_account_id, null)
  assert.equal(split.credit_account_id, null)
  assert.equal(split.reference, 'split-7')
  assert.equal(split.payment_id, null)
  assert.deepEqual(split.metadata, { order: '7' })
  assert.deepEqual(
    split.entries.map(({ direction, amount }) => `${direction} ${amount}`).toSorted(),
    ['credit 100', 'credit 900', 'debit 1000'],
  )
})

test('a reversal and what it reverses name each other', async () => {
  const [wrong, undone] = [await shown(story.wrong), await shown(story.undone)]
  assert.equal(wrong.status, 'reversed')
  assert.equal(wrong.reversed_by_transaction_id, story.undone)
  assert.equal(undone.status, 'posted')
  assert.equal(undone.reverses_transaction_id, story.wrong)
})

test('a refund shows in the status of the payment wherever the payment shows', async () => {
  await post(`/payments/${story.payment}/refunds`, { amount: 250 })
  const { data } = await list({ payment_id: story.payment })
  assert.deepEqual(
    data.map(({ type, payment_status: status }) => `${type} ${status}`),
    ['book_refund partially_refunded', 'book_payment partially_refunded'],
  )
})

describe('every filter', () => {
  test('type, once or several times', async () => {
    assert.deepEqual(await idsOf({ type: 'split' }), [story.split])
    const { body } = await it.call('GET', '/transactions?type=split&type=transfer')
    const found = (body as unknown as Listed).data.map(({ id }) => id)
    assert.deepEqual(found, [story.wrong, story.split])
  })

  test('status', async () => {
    assert.deepEqual(await idsOf({ status: 'reversed' }), [story.wrong])
    const posted = await idsOf({ status: 'posted' })
    assert.ok(!posted.includes(story.wrong))
    assert.ok(posted.includes(story.undone))
  })

  test('account, each transaction once, in the order in which it was booked upon', async () => {
    const { operating, customer_a: a } = it.accounts
    assert.deepEqual(await idsOf({ account_id: operating }), [story.split])
    const twice = await post('/ledger/transactions', {
      type: 'in_and_out',
      entries: [
        { account_id: a, direction: 'debit', amount: 5, currency: 'EUR' },
        { account_id: a, direction: 'credit', amount: 5, currency: 'EUR' },
      ],
    })
    const newest = await idsOf({ account_id: a })
    assert.equal(newest.filter((id) => id === twice['id']).length, 1)
    assert.deepEqual(await idsOf({ account_id: a, order: 'asc' }), newest.toReversed())
    assert.deepEqual(await idsOf({ account_id: a, status: 'reversed' }), [story.wrong])
    assert.deepEqual(
      await idsOf({ account_id: a, payment_id: story.payment, type: 'book_payment' }),
      [story.paid],
    )
  })

  test('payment', async () => {
    assert.deepEqual(await idsOf({ payment_id: story.payment, type: 'book_payment' }), [story.paid])
    assert.deepEqual(await idsOf({ payment_id: `pay_${story.split.slice(4)}` }), [])
  })

  test('reference: of the transaction, or of its payment', async () => {
    assert.deepEqual(await idsOf({ reference: 'split-7' }), [story.split])
    const ofPayment = await list({ reference: 'order-1042', order: 'asc' })
    assert.equal(ofPayment.data[0]?.id, story.paid)
    assert.deepEqual(await idsOf({ reference: 'order' }), [])
  })

  test('amount', async () => {
    assert.deepEqual(await idsOf({ 'amount[gte]': '1250', 'amount[lte]': '1250' }), [story.paid])
    assert.deepEqual(await idsOf({ 'amount[gte]': '1251', 'amount[lte]': '999999' }), [])
  })

  test('currency', async () => {
    assert.deepEqual(await idsOf({ currency: 'USD' }), [])
    assert.ok((await idsOf({ currency: 'EUR' })).includes(story.paid))
  })

  test('the time of booking, to the microsecond, from inclusive to exclusive', async () => {
    const { booked_at: at } = await shown(story.paid)
    assert.deepEqual(await idsOf({ 'booked[gte]': at, 'booked[lt]': after1us(at) }), [story.paid])
    assert.ok(!(await idsOf({ 'booked[lt]': at })).includes(story.paid))
    assert.ok(!(await idsOf({ 'booked[gte]': after1us(at) })).includes(story.paid))
    const account = { account_id: it.accounts.customer_a }
    const found = await idsOf({ ...account, 'booked[gte]': at, 'booked[lt]': after1us(at) })
    assert.deepEqual(found, [story.paid])
    assert.deepEqual(await idsOf({ 'booked[gte]': '2999-12-31T23:59:59Z' }), [])
    assert.deepEqual(await idsOf({ 'booked[lt]': '1000-01-01T00:00:00Z' }), [])
  })

  test('the business day', async () => {
    const day = '2026-01-15'
    assert.deepEqual(await idsOf({ 'effective_on[gte]': day, 'effective_on[lte]': day }), [
      story.wrong,
    ])
    assert.deepEqual(await idsOf({ 'effective_on[lte]': '2026-01-14' }), [])
  })

  test('several at once', async () => {
    const both = { account_id: it.accounts.customer_b, type: 'split', 'amount[gte]': '1000' }
    assert.deepEqual(await idsOf(both), [story.split])
    assert.deepEqual(await idsOf({ ...both, status: 'reversed' }), [])
  })
})

function after1us(instant: string): string {
  const micros = Number(instant.slice(20, 26)) + 1
  return `${instant.slice(0, 20)}${String(micros).padStart(6, '0')}Z`
}

for (const filters of [{}, { account_id: 'customer_a' }, { status: 'posted' }] as const) {
  for (const order of ['desc', 'asc'] as const) {
    test(`pages of two hold everything once, ${order} ${JSON.stringify(filters)}`, async () => {
      const query = {
        ...filters,
        ...('account_id' in filters && { account_id: it.accounts[filters.account_id] }),
        order,
      }
      const whole = await idsOf(query)
      const paged: string[] = []
      let cursor: string | null = null
      do {
        const page = await list({ ...query, limit: '2', ...(cursor !== null && { cursor }) })
        paged.push(...page.data.map(({ id }) => id))
        assert.equal(page.has_more, page.next_cursor !== null)
        cursor = page.next_cursor
      } while (cursor !== null)
      assert.deepEqual(paged, whole)
    })
  }
}

test('a cursor belongs to its filters, its order and its tenant', async () => {
  const { next_cursor: cursor } = await list({ limit: '1' })
  assert.ok(cursor !== null)
  const misused = [
    { query: { cursor, type: 'split' } },
    { query: { cursor, order: 'asc' } },
    { query: { cursor: `${cursor.slice(0, -2)}AA` } },
    { query: { cursor: 'nonsense' } },
    { query: { cursor }, token: it.tokens.stranger },
  ]
  for (const { query, token } of misused) {
    const path = `/transactions?${new URLSearchParams({ limit: '1', ...query }).toString()}`
    const heard = await it.call('GET', path, token === undefined ? {} : { token })
    assert.equal(heard.status, 400, JSON.stringify(query))
    assert.equal(heard.body['code'], 'invalid_cursor')
  }
})

test('another tenant sees its own history and nothing of this one', async () => {
  const { data } = await list({}, it.tokens.stranger)
  assert.deepEqual([...new Set(data.map(({ type }) => type))], ['opening_balance'])
  for (const query of [
    { account_id: it.accounts.customer_a },
    { payment_id: story.payment },
    { reference: 'order-1042' },
    { reference: 'split-7' },
    { status: 'reversed' },
  ]) {
    assert.deepEqual((await list(query, it.tokens.stranger)).data, [], JSON.stringify(query))
  }
})

const refused: [query: string, parameter: string][] = [
  ['type=', 'type'],
  ['status=pending', 'status'],
  ['account_id=acc_1', 'account_id'],
  ['payment_id=txn_01k0000000000000000000000', 'payment_id'],
  ['currency=eur', 'currency'],
  ['amount[gte]=-1', 'amount[gte]'],
  ['amount[gte]=1e3', 'amount[gte]'],
  ['amount[lte]=9007199254740993', 'amount[lte]'],
  ['booked[gte]=yesterday', 'booked[gte]'],
  ['booked[gte]=2026-11-23', 'booked[gte]'],
  ['booked[lt]=0000-01-01T00:00:00Z', 'booked[lt]'],
  ['booked[lt]=2026-12-31T23:59:60Z', 'booked[lt]'],
  ['effective_on[gte]=2026-02-30', 'effective_on[gte]'],
  ['limit=0', 'limit'],
  ['limit=201', 'limit'],
  ['limit=1&limit=2', 'limit'],
  ['booked[gt]=2026-11-23T00:00:00Z', 'booked[gt]'],
  ['format=xml', 'format'],
  ['columns=id', 'columns'],
  ['format=ndjson&bom=false', 'bom'],
  ['format=csv&limit=5', 'limit'],
  ['format=csv&cursor=x', 'cursor'],
  ['format=csv&columns=secret', 'columns'],
  ['format=csv&columns=id&columns=id', 'columns'],
  ['format=csv&delimiter=tab', 'delimiter'],
]
for (const [query, parameter] of refused) {
  test(`${query} is refused by name`, async () => {
    const heard = await it.call('GET', `/transactions?${query}`)
    assert.equal(heard.status, 400, JSON.stringify(heard.body))
    const errors = heard.body['errors'] as { parameter: string }[]
    assert.deepEqual([...new Set(errors.map((error) => error.parameter))], [parameter])
  })
}

test('without a token, and without the scope, nothing is told', async () => {
  const forged = await it.call('GET', '/transactions', { token: 'none' })
  assert.equal(forged.status, 401)
  const { client_id: id, client_secret: secret } = it.credentials.clients.backoffice
  const granted = await fetch(`${it.baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'payments:read' }),
  })
  const { access_token: token } = (await granted.json()) as { access_token: string }
  for (const format of ['json', 'csv', 'ndjson']) {
    const narrow = await it.call('GET', `/transactions?format=${format}`, { token })
    assert.equal(narrow.status, 403)
    assert.equal(narrow.body['code'], 'insufficient_scope')
  }
})
