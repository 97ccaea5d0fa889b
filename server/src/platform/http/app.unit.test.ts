import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { Type } from 'typebox'
import { refuse as refuseBatch } from '../batch/batch.errors.ts'
import { DatabaseUnavailable } from '../db/transaction.ts'
import { internalId } from '../ids.ts'
import { createHttp } from './app.ts'
import { actor, ISSUER, openSampleDoor } from '../../../test/support/sample-door.ts'
import { refuseSample } from '../../../test/support/sample-routes.ts'

const door = openSampleDoor()
const { http } = door
after(() => http.close())

const order = { amount: 100, currency: 'EUR' }
const authorization = 'Bearer token'
const key = { 'idempotency-key': 'order-1042' }

function send(options: InjectOptions) {
  return http.inject({ ...options, headers: { authorization, ...options.headers } })
}

function post(body: unknown, headers: Record<string, string | string[]> = key, url = '/orders') {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const all = { 'content-type': 'application/json', ...headers } as Record<string, string>
  return send({ method: 'POST', url, payload, headers: all })
}

type Answer = Awaited<ReturnType<typeof send>>

/** `status code` of a problem, after its form has been checked. */
function problem(answer: Answer): string {
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
  const body = answer.json()
  assert.equal(body.status, answer.statusCode)
  assert.equal(body.type, `${ISSUER}/docs/errors/${body.code}`)
  assert.equal(typeof body.retryable, 'boolean')
  assert.equal(body.request_id, answer.headers['request-id'])
  assert.match(body.trace_id, /^[0-9a-f]{32}$/)
  assert.equal(answer.headers['retry-after'] !== undefined, body.retryable)
  return `${body.status} ${body.code}`
}

/** `place code` of each field error. */
function fields(answer: Answer): string[] {
  const errors = (answer.json().errors ?? []) as Record<string, string>[]
  return errors.map(
    ({ pointer, parameter, header, code }) => `${pointer ?? parameter ?? header} ${code}`,
  )
}

// oxfmt-ignore
const bodies: readonly (readonly [what: string, body: unknown, ...errors: string[]])[] = [
  ['an amount as text',                   { ...order, amount: '100' },          '#/amount wrong_type'],
  ['an amount as a truth value',          { ...order, amount: true },           '#/amount wrong_type'],
  ['an amount of null',                   { ...order, amount: null },           '#/amount wrong_type'],
  ['a negative amount',                   { ...order, amount: -1 },             '#/amount too_small'],
  ['an amount of nothing',                { ...order, amount: 0 },              '#/amount too_small'],
  ['an amount above 10^12',               { ...order, amount: 1_000_000_000_001 }, '#/amount too_large'],
  ['no amount',                           { currency: 'EUR' },                  '#/amount required'],
  ['a currency that is none',             { ...order, currency: 'EUX' },        '#/currency bad_format'],
  ['gold',                                { ...order, currency: 'XAU' },        '#/currency bad_format'],
  ['a withdrawn currency',                { ...order, currency: 'BGN' },        '#/currency bad_format'],
  ['a mistyped name',                     { ...order, captur: 'manual' },       '#/captur unknown_field'],
  ['a choice that is none',               { ...order, capture: 'later' },       '#/capture not_allowed'],
  ['a text that is too long',             { ...order, note: '12345678901' },    '#/note too_long'],
  ['a date that is none',                 { ...order, due: '2026-02-30' },      '#/due bad_format'],
  ['too many items',                      { ...order, tags: ['a', 'b', 'c'] },  '#/tags too_long'],
  ['an item that is too long',            { ...order, tags: ['a', 'bcdefg'] },  '#/tags/1 too_long'],
  ['too many members',                    { ...order, metadata: { a: '', b: '', c: '', d: '' } }, '#/metadata too_long'],
  ['a metadata value that is no text',    { ...order, metadata: { 'a/b': 1 } }, '#/metadata/a~1b wrong_type'],
  ['a metadata name that is too long',    { ...order, metadata: { ['x'.repeat(41)]: '' } }, `#/metadata/${'x'.repeat(41)} unknown_field`],
  ['a branch of a union, incomplete',     { ...order, method: { type: 'card' } }, '#/method/token required'],
  ['a branch of a union, with too much',  { ...order, method: { type: 'book', account: 'a', token: 't' } }, '#/method/token unknown_field'],
  ['no branch of a union',                { ...order, method: { type: 'cash' } }, '#/method not_allowed'],
  ['several at once',                     { amount: 0, note: 1, x: 1 },         '#/currency required', '#/x unknown_field', '#/amount too_small', '#/note wrong_type'],
  ['a list instead of an object',         [order],                              '# wrong_type'],
  ['nothing but null',                    null,                                 '# wrong_type'],
]
for (const [what, body, ...errors] of bodies) {
  test(`a body with ${what} is refused with a pointer, and nothing is submitted`, async () => {
    const before = door.submitted.length
    const answer = await post(body)
    assert.equal(problem(answer), '400 invalid_request')
    assert.deepEqual(fields(answer).toSorted(), errors.toSorted())
    assert.equal(door.submitted.length, before)
  })
}

test('at most 20 errors are told', async () => {
  const strange = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x${index}`, 1]))
  assert.equal(fields(await post({ ...order, ...strange })).length, 20)
})

// oxfmt-ignore
const texts: readonly (readonly [what: string, body: string | Buffer, error?: string])[] = [
  ['an unsafe integer',           '{"amount":9007199254740993,"currency":"EUR"}', '#/amount too_large'],
  ['an exponent',                 '{"amount":1e3,"currency":"EUR"}',              '#/amount bad_format'],
  ['a fraction',                  '{"amount":100.0,"currency":"EUR"}',            '#/amount bad_format'],
  ['a name twice',                '{"amount":1,"amount":999,"currency":"EUR"}',   '#/amount not_allowed'],
  ['a name twice, once escaped',  '{"amount":1,"\\u0061mount":999}',              '#/amount not_allowed'],
  ['NUL in a text',               '{"note":"a\\u0000b"}',                         '#/note bad_format'],
  ['half a surrogate pair',       '{"note":"\\ud83d"}',                           '#/note bad_format'],
  ['__proto__',                   '{"__proto__":{"admin":true}}',                 '#/__proto__ not_allowed'],
  ['33 levels',                   '['.repeat(33) + ']'.repeat(33),                `#${'/0'.repeat(32)} too_large`],
  ['400,000 levels that fit',     '['.repeat(200_000),                            `#${'/0'.repeat(32)} too_large`],
  ['10,001 members',              `[${Array(10_001).fill('1').join()}]`,          '#/10000 too_large'],
  ['bytes that are not UTF-8',    Buffer.from([0x22, 0xff, 0x22])],
  ['broken syntax',               '{"amount":1,}'],
  ['nothing but spaces',          '  '],
  ['two values',                  '{} {}'],
  ['NaN',                         '{"amount":NaN}'],
]
for (const [what, body, error] of texts) {
  test(`JSON with ${what} is refused`, async () => {
    const answer = await post(body)
    assert.equal(problem(answer), '400 invalid_json')
    assert.deepEqual(fields(answer), error === undefined ? [] : [error])
  })
}

test('a bulk route may take more members and more bytes', async () => {
  const data = Array(50_000).fill(1)
  const answer = await post({ data }, key, '/order_batches')
  assert.deepEqual(answer.json(), { count: 50_000 })
  assert.equal(
    problem(await post({ data, x: 'x'.repeat(1024 * 1024) }, key, '/order_batches')),
    '413 body_too_large',
  )
})

test('a body above 256 KiB is refused', async () => {
  assert.equal(problem(await post({ note: 'x'.repeat(256 * 1024) })), '413 body_too_large')
})

for (const [type, encoding] of [
  ['text/plain'],
  ['application/x-www-form-urlencoded'],
  ['application/json; charset=latin1'],
  ['application/jsonp'],
  ['multipart/form-data; boundary=x'],
  ['application/json', 'gzip'],
]) {
  test(`a body of ${type} ${encoding ?? ''} is not read`, async () => {
    const headers = {
      ...key,
      'content-type': type as string,
      ...(encoding && { 'content-encoding': encoding }),
    }
    assert.equal(problem(await post('{}', headers)), '415 unsupported_media_type')
  })
}

for (const type of [
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'Application/JSON',
]) {
  test(`a body of ${type} is read`, async () => {
    assert.equal((await post(order, { ...key, 'content-type': type })).statusCode, 201)
  })
}

test('a body without a type is not guessed at', async () => {
  const answer = await send({
    method: 'POST',
    url: '/orders',
    payload: Buffer.from('{}'),
    headers: key,
  })
  assert.equal(problem(answer), '415 unsupported_media_type')
})

test('a missing body is refused where one is needed, and {} where all of it is optional', async () => {
  const needed = await send({ method: 'POST', url: '/orders', headers: key })
  assert.equal(problem(needed), '400 invalid_request')
  assert.deepEqual(fields(needed), ['# required'])
  assert.deepEqual(fields(await post('')), ['# required'])
  assert.deepEqual((await post('', {}, '/orders/ord_1/hold')).json(), { days: 7 })
  const optional = await send({ method: 'POST', url: '/orders/ord_1/hold' })
  assert.deepEqual(optional.json(), { days: 7 })
})

test('a route that takes no body refuses one', async () => {
  const answer = await post({ reason: 'none' }, key, '/orders/ord_1/cancel')
  assert.deepEqual(fields(answer), ['# unknown_field'])
  assert.equal((await post({}, key, '/orders/ord_1/cancel')).statusCode, 200)
})

// oxfmt-ignore
const queries: readonly (readonly [url: string, ...errors: string[]])[] = [
  ['/orders?limit=0',                                'limit too_small'],
  ['/orders?limit=201',                              'limit too_large'],
  ['/orders?limit=ten',                              'limit wrong_type'],
  ['/orders?limit=1e1',                              'limit wrong_type'],
  ['/orders?limit=0x10',                             'limit wrong_type'],
  ['/orders?limit=10.0',                             'limit wrong_type'],
  ['/orders?limit=',                                 'limit wrong_type'],
  ['/orders?limit=1&limit=2',                        'limit wrong_type'],
  ['/orders?order=up',                               'order not_allowed'],
  ['/orders?order=asc&order=desc',                   'order not_allowed'],
  ['/orders?created[gte]=yesterday',                 'created[gte] bad_format'],
  ['/orders?created%5Bgte%5D=2026-11-01T00:00:00',   'created[gte] bad_format'],
  ['/orders?created[gte]=2026-12-31T23:59:60Z',      'created[gte] bad_format'],
  ['/orders?status=%00',                             'status bad_format'],
  ['/orders?status=a&status=b%00',                   'status bad_format'],
  ['/orders?statuss=failed&x=1',                     'statuss unknown_field', 'x unknown_field'],
  ['/orders?__proto__=1',                            '__proto__ unknown_field'],
  ['/orders?status=a&status=b&status=c&status=d&status=e&status=f', 'status too_long'],
  ['/orders/ord_1?expand=all',                       'expand unknown_field'],
  [`/orders/${'x'.repeat(21)}`,                      'id too_long'],
]
for (const [url, ...errors] of queries) {
  test(`GET ${url} is refused`, async () => {
    const answer = await send({ url })
    assert.equal(problem(answer), '400 invalid_request')
    assert.deepEqual(fields(answer), errors)
  })
}

test('an id that is longer than any is not found', async () => {
  assert.equal(problem(await send({ url: `/orders/${'x'.repeat(3_000)}` })), '404 not_found')
})

test('a list is walked by its cursor, which names the next page in a link too', async () => {
  const seen: string[] = []
  let url: string | undefined =
    '/orders?limit=2&status=failed&status=returned&created[gte]=2026-11-01T00:00:00Z'
  while (url !== undefined) {
    const answer: Answer = await send({ url })
    assert.equal(answer.statusCode, 200, answer.body)
    const page = answer.json()
    seen.push(...page.data.map(({ id }: { id: string }) => id))
    assert.equal(page.has_more, page.next_cursor !== null)
    url = /^<(.*)>; rel="next"$/.exec(String(answer.headers['link'] ?? ''))?.[1]
    assert.equal(url !== undefined, page.has_more)
  }
  assert.deepEqual(seen, ['ord_1', 'ord_2', 'ord_3', 'ord_4', 'ord_5'])
})

test('a cursor is refused with other filters and for another tenant, not with another limit', async () => {
  const { next_cursor: cursor } = (await send({ url: '/orders?limit=2&status=failed' })).json()
  assert.equal(
    (await send({ url: `/orders?limit=3&status=failed&cursor=${cursor}` })).statusCode,
    200,
  )
  const other = await send({ url: `/orders?limit=2&cursor=${cursor}` })
  assert.equal(problem(other), '400 invalid_cursor')
  const stranger = openSampleDoor({ authenticate: () => ({ ...actor, tenantId: 't-2' }) })
  const refused = await stranger.http.inject(`/orders?limit=2&status=failed&cursor=${cursor}`)
  assert.equal(problem(refused), '400 invalid_cursor')
  await stranger.http.close()
})

test('an unknown address is 404, a known one with another method 405 with what it answers', async () => {
  assert.equal(problem(await send({ url: '/nothing' })), '404 not_found')
  assert.equal(problem(await send({ method: 'POST', url: '/nothing/at/all' })), '404 not_found')
  for (const [method, url, allow] of [
    ['DELETE', '/orders', 'GET, HEAD, POST'],
    ['PUT', '/orders/ord_1', 'GET, HEAD, PATCH'],
    ['GET', '/orders/ord_1/cancel?x=1', 'POST'],
    ['OPTIONS', '/orders', 'GET, HEAD, POST'],
  ] as const) {
    const answer = await send({ method, url })
    assert.equal(problem(answer), '405 method_not_allowed')
    assert.equal(answer.headers['allow'], allow)
  }
})

test('a path that cannot be decoded is a problem too', async () => {
  assert.equal(problem(await send({ url: '/orders/%zz' })), '400 invalid_url')
})

test('nobody without a token learns more than the address', async () => {
  const answer = await http.inject({
    method: 'POST',
    url: '/orders',
    payload: '{"amount":1,"amount":2}',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(problem(answer), '401 caller_unknown')
  assert.equal(answer.headers['www-authenticate'], 'Bearer')
})

test('a token without the scope of the operation is refused by name', async () => {
  const answer = await send({ url: '/admin' })
  assert.equal(problem(answer), '403 insufficient_scope')
  assert.equal(
    answer.headers['www-authenticate'],
    'Bearer error="insufficient_scope", scope="orders:admin"',
  )
})

test('an unknown version of the API is refused with those that exist', async () => {
  const answer = await send({ url: '/orders/ord_1', headers: { 'api-version': '2031-01-01' } })
  assert.equal(problem(answer), '400 unknown_api_version')
  assert.deepEqual(answer.json().supported, ['2026-11-01'])
  const known = await send({ url: '/orders/ord_1', headers: { 'api-version': '2026-11-01' } })
  assert.equal(known.statusCode, 200)
})

test('the steps come in their order: each refusal hides those after it', async () => {
  const wrong = { url: '/orders', method: 'POST', payload: '{"amount":1,"amount":2}' } as const
  const headers = { 'content-type': 'text/plain', 'api-version': '1' }
  assert.equal(problem(await http.inject({ ...wrong, headers })), '415 unsupported_media_type')
  headers['content-type'] = 'application/json'
  assert.equal(problem(await http.inject({ ...wrong, headers })), '401 caller_unknown')
  assert.equal(problem(await send({ ...wrong, headers })), '400 unknown_api_version')
  headers['api-version'] = '2026-11-01'
  assert.equal(problem(await send({ ...wrong, headers })), '400 invalid_json')
  assert.equal(
    problem(await send({ ...wrong, headers, payload: '{}' })),
    '400 idempotency_key_required',
  )
  assert.equal(
    problem(await send({ ...wrong, headers: { ...headers, ...key }, payload: '{}' })),
    '400 invalid_request',
  )
})

test('a key is required, optional or ignored, as the route says', async () => {
  const missing = await post(order, {})
  assert.equal(problem(missing), '400 idempotency_key_required')
  assert.deepEqual(fields(missing), ['Idempotency-Key required'])
  const invalid = await post(order, { 'idempotency-key': ['k1', 'k1'] })
  assert.equal(problem(invalid), '400 idempotency_key_invalid')
  assert.deepEqual((await send({ method: 'POST', url: '/orders/ord_1/cancel' })).json(), {
    key: null,
  })
  assert.deepEqual((await post({}, { 'idempotency-key': '"k1"' }, '/orders/ord_1/cancel')).json(), {
    key: 'k1',
  })
  assert.equal(
    (await send({ url: '/orders', headers: { 'idempotency-key': 'a, b' } })).statusCode,
    200,
  )
})

test('a request is submitted with its key and the fingerprint of what was sent, not of defaults', async () => {
  await post(order)
  await post({ currency: 'EUR', amount: 100 })
  await post({ ...order, capture: 'automatic' })
  const [one, reordered, spelled] = door.submitted
    .slice(-3)
    .map(({ idempotency }) => idempotency as Record<string, string>)
  assert.equal(one?.['key'], 'order-1042')
  assert.equal(one?.['principal'], 'cli_1')
  assert.match(one?.['fingerprint'] ?? '', /^[0-9a-f]{64}$/)
  assert.equal(reordered?.['fingerprint'], one?.['fingerprint'])
  assert.notEqual(spelled?.['fingerprint'], one?.['fingerprint'])
  const { asked } = door.submitted.at(-3) as { asked: Record<string, unknown> }
  assert.deepEqual(asked['input'], { ...order, capture: 'automatic' })
  assert.equal(asked['tenantId'], 't-1')
})

test('an accepted command is answered with its body and location', async () => {
  const answer = await post(order)
  assert.equal(answer.statusCode, 201)
  assert.equal(answer.headers['location'], '/orders/ord_1')
  assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(answer.json(), { id: 'ord_1', ...order, capture: 'automatic' })
  assert.equal(answer.headers['idempotent-replayed'], undefined)
})

test('whoever prefers a minimal answer gets none of the body', async () => {
  const answer = await post(order, { ...key, prefer: 'return=minimal' })
  assert.equal(answer.statusCode, 201)
  assert.equal(answer.body, '')
  assert.equal(answer.headers['location'], '/orders/ord_1')
  assert.equal(answer.headers['preference-applied'], 'return=minimal')
})

test('under load lists are turned away before objects, and commands never', async (t) => {
  let level = 0
  const strained = openSampleDoor({ load: { level: () => level } })
  t.after(() => strained.http.close())
  const statuses = async (): Promise<number[]> => {
    const headers = { authorization, ...key }
    const answers = await Promise.all([
      strained.http.inject({ url: '/orders', headers }),
      strained.http.inject({ url: '/orders/ord_1', headers }),
      strained.http.inject({ method: 'POST', url: '/orders', payload: order, headers }),
    ])
    return answers.map(({ statusCode }) => statusCode)
  }
  assert.deepEqual(await statuses(), [200, 200, 201])
  level = 3
  assert.deepEqual(await statuses(), [503, 200, 201])
  level = 4
  assert.deepEqual(await statuses(), [503, 503, 201])
  const answer = await strained.http.inject('/orders') // before anybody asks for a token
  assert.equal(problem(answer), '503 overloaded')
  assert.match(String(answer.headers['retry-after']), /^[1-5]$/)
})

test('a refused command is a problem with its facts', async (t) => {
  t.after(() => (door.outcome = undefined))
  door.outcome = refuseSample('order_exceeds_limit', { detail: '1.00 EUR left.', available: 100 })
  const answer = await post(order)
  assert.equal(problem(answer), '422 order_exceeds_limit')
  assert.equal(answer.json().available, 100)
  assert.equal(answer.json().detail, '1.00 EUR left.')
  door.outcome = refuseBatch('overloaded')
  assert.equal(problem(await post(order)), '503 overloaded')
})

test('a fault of a command says nothing but that it can be asked again', async (t) => {
  t.after(() => (door.fault = undefined))
  door.fault = new Error('duplicate key value violates unique constraint "payments_pkey"')
  assert.equal(problem(await post(order)), '500 internal_error')
  door.fault = new DatabaseUnavailable(new Error('10.0.0.7 refused'))
  const answer = await post(order)
  assert.equal(problem(answer), '503 database_unavailable')
  assert.doesNotMatch(answer.body, /10\.0\.0\.7/)
})

// oxfmt-ignore
const failures: readonly (readonly [what: string, expected: string])[] = [
  ['unknown',    '500 internal_error'],
  ['text',       '500 internal_error'],
  ['database',   '503 database_unavailable'],
  ['refusal',    '404 order_not_found'],
  ['overloaded', '503 overloaded'],
  ['status',     '408 request_timeout'],
]
for (const [what, expected] of failures) {
  test(`a handler that fails by ${what} is answered ${expected}`, async () => {
    const answer = await send({ url: `/fail/${what}` })
    assert.equal(problem(answer), expected)
    assert.doesNotMatch(answer.body, /relation|ECONN|plug-in|stack|at /)
  })
}

test('what went wrong is logged with the request, and refusals are not', async (t) => {
  const lines: object[] = []
  const keep = (fields: object) => lines.push(fields)
  const silent = () => undefined
  const logger = {
    error: keep,
    warn: silent,
    info: silent,
    debug: silent,
    trace: silent,
    fatal: keep,
    silent,
    level: 'info',
    child: () => logger,
  }
  const logging = openSampleDoor({ logger: logger as never })
  t.after(() => logging.http.close())
  await logging.http.inject({ url: '/fail/refusal', headers: { authorization } })
  await logging.http.inject({ url: '/fail/overloaded', headers: { authorization } })
  assert.equal(lines.length, 0)
  const { headers } = await logging.http.inject({
    url: '/fail/unknown',
    headers: { authorization },
  })
  assert.equal(lines.length, 1)
  assert.deepEqual(
    { ...lines[0], err: undefined },
    {
      err: undefined,
      code: 'internal_error',
      request_id: headers['request-id'],
      method: 'GET',
      route: '/fail/unknown',
    },
  )
})

test('every answer carries an id of ours, the version and the security headers', async () => {
  for (const answer of [
    await send({ url: '/orders/ord_1' }),
    await post(order),
    await http.inject('/orders'),
    await send({ url: '/nothing' }),
    await send({ url: '/orders/%zz' }),
  ]) {
    assert.notEqual(internalId('req', String(answer.headers['request-id'])), undefined)
    assert.equal(answer.headers['api-version'], '2026-11-01')
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['referrer-policy'], 'no-referrer')
    assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin')
    assert.equal(
      answer.headers['content-security-policy'],
      "default-src 'none'; frame-ancestors 'none'",
    )
    assert.match(String(answer.headers['cache-control']), /no-store|private, no-cache/)
    for (const name of [
      'server',
      'x-powered-by',
      'strict-transport-security',
      'access-control-allow-origin',
    ]) {
      assert.equal(answer.headers[name], undefined, name)
    }
  }
})

test('an issuer of https asks for https only', async (t) => {
  const secure = openSampleDoor({ issuer: 'https://pay.example.com' })
  t.after(() => secure.http.close())
  const answer = await secure.http.inject('/orders')
  assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000; includeSubDomains')
})

test("a caller's own request id is echoed and never taken as ours; a trace is continued", async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const answer = await send({
    url: '/nothing',
    headers: { 'x-request-id': 'mine-1.2_3', traceparent },
  })
  assert.equal(answer.headers['x-request-id'], 'mine-1.2_3')
  assert.equal(answer.headers['traceparent'], traceparent)
  assert.equal(answer.json().trace_id, '4bf92f3577b34da6a3ce929d0e0e4736')
  const strange = await send({
    url: '/nothing',
    headers: { 'x-request-id': 'a b', traceparent: '00-0-0-01' },
  })
  assert.equal(strange.headers['x-request-id'], undefined)
  assert.equal(strange.headers['traceparent'], undefined)
})

test('one object is answered with its ETag, and with 304 to whoever knows it', async () => {
  const first = await send({ url: '/orders/ord_1' })
  assert.equal(first.headers['etag'], '"7-20261101"')
  assert.equal(first.headers['vary'], 'Accept, API-Version, Authorization')
  const again = await send({ url: '/orders/ord_1', headers: { 'if-none-match': '"7-20261101"' } })
  assert.equal(again.statusCode, 304)
  assert.equal(again.body, '')
  assert.equal(again.headers['etag'], '"7-20261101"')
  const head = await send({ method: 'HEAD', url: '/orders/ord_1' })
  assert.equal(head.statusCode, 200)
  assert.equal(head.headers['etag'], '"7-20261101"')
})

test('a blind write is refused where an ETag is demanded', async () => {
  const change = { method: 'PATCH', url: '/orders/ord_1', payload: { note: 'x' } } as const
  assert.equal(problem(await send(change)), '428 if_match_required')
  const answer = await send({
    ...change,
    headers: { 'if-match': '"7-20261101"', 'content-type': 'application/merge-patch+json' },
  })
  assert.deepEqual(answer.json(), { allowed: [7] })
})

test('a plug-in may mark a route public and read bodies in its own way', async (t) => {
  const door = openSampleDoor()
  t.after(() => door.http.close())
  door.http.register(async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, body),
    )
    app.post('/oauth/token', { config: { public: true } }, (request, reply) => {
      reply.hijack()
      reply.raw.end(`took ${String(request.body)}`)
    })
  })
  const form = {
    method: 'POST',
    url: '/oauth/token',
    payload: 'grant_type=x',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  } as const
  assert.equal((await door.http.inject(form)).body, 'took grant_type=x')
  assert.equal(
    problem(await door.http.inject({ ...form, url: '/open' })),
    '415 unsupported_media_type',
  )
  assert.deepEqual(
    (await door.http.inject({ ...form, url: '/open', payload: { a: 1 }, headers: {} })).json(),
    { body: { a: 1 } },
  )
})

test('a route that does not say who may call it, or what its repetition means, stops the start', async (t) => {
  const app = createHttp({
    issuer: ISSUER,
    clock: { now: () => new Date() },
    authenticate: () => actor,
    fingerprintKey: Buffer.alloc(32),
  })
  t.after(() => app.close())
  const handler = async () => ({})
  const operationId = 'x'
  const open = Type.Object(
    { a: Type.Object({ b: Type.String() }) },
    { additionalProperties: false },
  )
  assert.throws(
    () => app.get('/a', handler),
    /GET \/a declares neither config.scope nor config.public/,
  )
  assert.throws(
    () => app.post('/b', { config: { scope: 's' }, schema: { operationId } }, handler),
    /config.idempotency/,
  )
  assert.throws(() => app.get('/c', { config: { scope: 's' } }, handler), /operationId/)
  assert.throws(
    () => app.put('/d', { config: { scope: 's' }, schema: { operationId, body: open } }, handler),
    /the body of PUT \/d, a, holds an object without/,
  )
  assert.throws(
    () =>
      app.get(
        '/e',
        { config: { scope: 's' }, schema: { operationId, querystring: Type.Object({}) } },
        handler,
      ),
    /the query of GET \/e/,
  )
})
