import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startServiceForTests({ worker: false })
})
after(() => service.close())

const good = () => ({
  amount: 1_000,
  currency: 'EUR',
  payment_method: { type: 'card', card: { token: 'tok_visa' } },
  recipient: { type: 'account', account_id: service.accounts.customer_a },
})

interface Problem {
  readonly status: number
  readonly code: string
  readonly pointers: readonly string[]
  readonly type: string | null
}

async function send(path: string, text: string, init: RequestInit = {}): Promise<Problem> {
  const response = await fetch(`${service.baseUrl}${path}`, {
    method: 'POST',
    body: text,
    ...init,
    headers: {
      authorization: `Bearer ${service.tokens.backoffice}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
      ...init.headers,
    },
  })
  const body = (await response.json()) as {
    code: string
    errors?: { pointer?: string; parameter?: string; header?: string }[]
  }
  const where = (body.errors ?? []).map(
    ({ pointer, parameter, header }) => pointer ?? parameter ?? header ?? '',
  )
  return {
    status: response.status,
    code: body.code,
    pointers: where,
    type: response.headers.get('content-type'),
  }
}

async function countAll(): Promise<string> {
  const { rows } = await service.database.pools.read.query(
    `select (select count(*) from payments.payments) as payments,
            (select count(*) from ledger.transactions) as transactions,
            (select count(*) from platform.events) as events`,
  )
  return JSON.stringify(rows[0], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
}

const text = (body: object) => JSON.stringify(body)
const withAmount = (amount: string) => text(good()).replace('"amount":1000', `"amount":${amount}`)

const bodies: readonly (readonly [string, () => string, number, string])[] = [
  ['a negative amount', () => withAmount('-1'), 400, '#/amount'],
  ['zero', () => withAmount('0'), 400, '#/amount'],
  ['a fraction', () => withAmount('10.5'), 400, '#/amount'],
  ['a fraction of zero', () => withAmount('10.0'), 400, '#/amount'],
  ['an exponent', () => withAmount('1e3'), 400, '#/amount'],
  ['an unsafe integer', () => withAmount('9007199254740993'), 400, '#/amount'],
  ['more than a payment may be', () => withAmount('1000000000001'), 400, '#/amount'],
  ['an amount as text', () => withAmount('"1000"'), 400, '#/amount'],
  ['an amount that is true', () => withAmount('true'), 400, '#/amount'],
  ['an amount that is null', () => withAmount('null'), 400, '#/amount'],
  ['an amount twice', () => withAmount('1000,"amount":1'), 400, '#/amount'],
  ['a currency that is none', () => text({ ...good(), currency: 'XXX' }), 400, '#/currency'],
  ['a currency in lower case', () => text({ ...good(), currency: 'eur' }), 400, '#/currency'],
  ['a withdrawn currency', () => text({ ...good(), currency: 'HRK' }), 400, '#/currency'],
  [
    'a field that does not exist',
    () => text({ ...good(), capture_methd: 'manual' }),
    400,
    '#/capture_methd',
  ],
  ['a field of the answer', () => text({ ...good(), status: 'completed' }), 400, '#/status'],
  [
    'an id of another kind',
    () => text({ ...good(), recipient: { type: 'account', account_id: 'pay_0' } }),
    400,
    '#/recipient/account_id',
  ],
  ['metadata that is no text', () => text({ ...good(), metadata: { a: 1 } }), 400, '#/metadata/a'],
  [
    'a card number that is no test card',
    () => text({ ...good(), payment_method: { type: 'card', card: { number: '4929000000006' } } }),
    422,
    '#/payment_method/card/number',
  ],
  [
    'a book payment without source',
    () => text({ ...good(), payment_method: { type: 'book' } }),
    422,
    '#/source',
  ],
]

for (const [what, body, status, pointer] of bodies) {
  test(`${what} is refused with a pointer, and changes nothing`, async () => {
    const before = await countAll()
    const problem = await send('/payments', body())
    assert.equal(problem.status, status, problem.code)
    assert.ok(problem.pointers.includes(pointer), `${problem.code} ${problem.pointers.join()}`)
    assert.match(problem.type ?? '', /^application\/problem\+json/)
    assert.equal(await countAll(), before)
  })
}

const raw: readonly (readonly [string, () => string, RequestInit, number, string])[] = [
  ['text that is no JSON', () => '{"amount":', {}, 400, 'invalid_json'],
  ['nothing at all', () => '', {}, 400, ''],
  ['deeply nested JSON', () => '['.repeat(100_000), {}, 400, 'invalid_json'],
  ['a wrong media type', () => 'amount=1', { headers: { 'content-type': 'text/plain' } }, 415, ''],
  ['a wrong method', () => '{}', { method: 'PUT' }, 405, 'method_not_allowed'],
  ['no key', () => text(good()), { headers: { 'idempotency-key': '' } }, 400, ''],
  ['more than 256 KiB', () => text({ ...good(), description: 'x'.repeat(300_000) }), {}, 413, ''],
  [
    'an API version of the future',
    () => text(good()),
    { headers: { 'api-version': '2099-01-01' } },
    400,
    'unknown_api_version',
  ],
]

for (const [what, body, init, status, code] of raw) {
  test(`${what} is refused as a problem, and changes nothing`, async () => {
    const before = await countAll()
    const problem = await send('/payments', body(), init)
    assert.equal(problem.status, status, problem.code)
    if (code !== '') assert.equal(problem.code, code)
    assert.match(problem.type ?? '', /^application\/problem\+json/)
    assert.equal(await countAll(), before)
  })
}

test("an unknown payment and another tenant's are the same 404", async () => {
  const made = await service.call('POST', '/payments', {
    body: { ...good(), recipient: undefined },
    token: service.tokens.stranger,
  })
  assert.equal(made.status, 201)
  const foreign = String(made.body['id'])
  const unknown = `${foreign.slice(0, -4)}0000`
  for (const [method, suffix, body] of [
    ['GET', '', undefined],
    ['GET', '/attempts', undefined],
    ['GET', '/refunds', undefined],
    ['GET', '/captures', undefined],
    ['POST', '/capture', {}],
    ['POST', '/cancel', {}],
    ['POST', '/refunds', {}],
    ['POST', '/refresh', undefined],
  ] as const) {
    const bodies = []
    for (const id of [foreign, unknown]) {
      const answer = await service.call(method, `/payments/${id}${suffix}`, {
        ...(body === undefined ? {} : { body }),
      })
      assert.equal(answer.status, 404, `${method} ${suffix}`)
      const { request_id: _, trace_id: __, instance: ___, ...rest } = answer.body
      bodies.push(rest)
    }
    assert.deepEqual(bodies[0], bodies[1])
  }
})

test("another tenant's account is no account", async () => {
  const body = {
    ...good(),
    recipient: { type: 'account', account_id: service.stranger.accounts.customer_a },
  }
  const problem = await send('/payments', text(body))
  assert.equal(problem.code, 'recipient_not_found')
})

test('no route of the API answers without a token, or with a forged one', async () => {
  const [head, claims] = service.tokens.backoffice.split('.')
  for (const authorization of [
    undefined,
    'Bearer nonsense',
    `Bearer ${head}.${claims}.${'A'.repeat(86)}`,
    `Basic ${service.tokens.backoffice}`,
  ]) {
    for (const path of [
      '/payments',
      '/payments/pay_01m8358caxfmdsnmhn665spbwe',
      '/refunds/ref_01m8358caxfmdsnmhn665spbwe',
    ]) {
      const response = await fetch(`${service.baseUrl}${path}`, {
        headers: authorization === undefined ? {} : { authorization },
      })
      assert.equal(response.status, 401, `${authorization} ${path}`)
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/)
    }
  }
})
