import { test } from 'node:test'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { sandboxAmounts, sandboxCards } from '../modules/payments/sandbox-values.ts'
import type { OperationBody } from './gateway.schema.ts'
import { givenGateway, type Heard, type TestClient } from '../../test/support/gateway-client.ts'

let keys = 0

function sale(change: Partial<OperationBody> = {}): OperationBody {
  const key = `key-${(keys += 1)}`
  const instrument = { token: 'tok_visa' }
  return { key, operation: 'sale', amount: 12_500, currency: 'EUR', instrument, ...change }
}

function follow(
  operation: 'capture' | 'void' | 'refund',
  parent: string,
  change: Partial<OperationBody> = {},
): OperationBody {
  return { key: `key-${(keys += 1)}`, operation, amount: 100, currency: 'EUR', parent, ...change }
}

function verdict({ status, body }: Heard): string {
  return status === 200 ? String(body['code'] ?? body['status']) : String(status)
}

async function verdicts(client: TestClient, ...bodies: OperationBody[]): Promise<string[]> {
  const said: string[] = []
  for (const body of bodies) said.push(verdict(await client.post(body)))
  return said
}

async function settled(client: TestClient, key: string, status: string): Promise<Heard> {
  for (let tries = 0; tries < 200; tries += 1) {
    const heard = await client.inquire(key)
    if (heard.body['status'] === status) return heard
    await sleep(10)
  }
  throw new Error(`${key} did not become ${status}.`)
}

test('a sale is answered with a reference, and an inquiry by its key says the same', async (t) => {
  const { client } = await givenGateway(t)
  const body = sale({ key: 'order/1 é' })
  const { status, body: answer } = await client.post(body)
  assert.equal(status, 200)
  assert.match(String(answer['reference']), /^sbx_[0-9a-f]{32}$/)
  const { key, operation, amount, currency } = body
  const { reference } = answer
  assert.deepEqual(answer, { key, reference, operation, status: 'succeeded', amount, currency })
  assert.deepEqual(await client.inquire(key), { status: 200, body: answer })
  assert.equal((await client.inquire('another')).status, 404)
})

test('fifty parallel sends of one key are one effect and one answer', async (t) => {
  const { client } = await givenGateway(t, { latency_ms: [5, 5] })
  const body = sale()
  const heard = await Promise.all(Array.from({ length: 50 }, () => client.post(body)))
  const answers = heard.filter(({ status }) => status === 200)
  assert.ok(answers.length >= 1)
  assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
  assert.ok(heard.every(({ status }) => status === 200 || status === 409))
  assert.deepEqual(await client.moved(), [body.key])
  assert.deepEqual(await client.post(body), answers[0])
})

test('a key in flight is told as such, to an inquiry and to a second send', async (t) => {
  const { client } = await givenGateway(t, { latency_ms: [1000, 1000] })
  const body = sale()
  const first = client.post(body)
  const seen = new Set<number>()
  while (!seen.has(409)) {
    const { status } = await client.inquire(body.key)
    assert.ok(status === 404 || status === 409, `an inquiry heard ${status}`)
    seen.add(status)
  }
  assert.equal((await client.post(body)).status, 409)
  assert.equal((await first).status, 200)
})

test('a key that was used for something else is refused and moves nothing', async (t) => {
  const { client } = await givenGateway(t)
  const body = sale()
  await client.post(body)
  for (const change of [
    { amount: 1 },
    { currency: 'USD' },
    { operation: 'authorize' as const },
    { instrument: { token: 'tok_mastercard' } },
  ]) {
    assert.equal((await client.post({ ...body, ...change })).status, 422, JSON.stringify(change))
  }
  assert.equal((await client.post(follow('refund', body.key, { key: body.key }))).status, 422)
  assert.deepEqual(await client.moved(), [body.key])
})

test('a request that is no operation is refused and leaves no trace', async (t) => {
  const { client } = await givenGateway(t)
  const { instrument, ...bare } = sale()
  const bad: Record<string, unknown>[] = [
    { ...sale(), amount: 0 },
    { ...sale(), amount: -1 },
    { ...sale(), amount: 1.5 },
    { ...sale(), amount: '100' },
    { ...sale(), amount: 1e13 },
    { ...sale(), currency: 'eur' },
    { ...sale(), operation: 'credit' },
    { ...sale(), key: '' },
    { ...sale(), surprise: true },
    bare,
    { ...sale(), parent: 'key-1' },
    { ...sale(), final: true },
    { ...bare, operation: 'refund' },
    { ...bare, operation: 'refund', parent: 'key-1', instrument },
  ]
  for (const body of bad) {
    const { status, body: said } = await client.post(body)
    assert.deepEqual([status, said['error']], [400, 'invalid_request'], JSON.stringify(body))
  }
  assert.deepEqual(await client.journal(), [])
})

test('an authorization is captured up to its amount, in parts', async (t) => {
  const { client } = await givenGateway(t)
  const held = sale({ operation: 'authorize', amount: 100 })
  assert.deepEqual(
    await verdicts(
      client,
      held,
      follow('capture', held.key, { amount: 60 }),
      follow('capture', held.key, { amount: 41 }),
      follow('capture', held.key, { amount: 40 }),
      follow('capture', held.key, { amount: 1 }),
      follow('void', held.key),
    ),
    ['succeeded', 'succeeded', 'amount_exceeds_parent', 'succeeded'].concat(
      'nothing_authorized',
      'nothing_authorized',
    ),
  )
})

test('a final capture and a void give back what is left', async (t) => {
  const { client } = await givenGateway(t)
  const captured = sale({ operation: 'authorize', amount: 100 })
  const voided = sale({ operation: 'authorize', amount: 100 })
  assert.deepEqual(
    await verdicts(
      client,
      captured,
      follow('capture', captured.key, { amount: 60, final: true }),
      follow('capture', captured.key, { amount: 1 }),
      voided,
      follow('void', voided.key),
      follow('void', voided.key),
      follow('capture', voided.key),
      follow('refund', voided.key),
    ),
    ['succeeded', 'succeeded', 'nothing_authorized', 'succeeded', 'succeeded'].concat(
      'nothing_authorized',
      'nothing_authorized',
      'parent_not_captured',
    ),
  )
})

test('refunds of a sale, by its key or its reference, never exceed it', async (t) => {
  const { client } = await givenGateway(t)
  const sold = sale({ amount: 100 })
  const { body } = await client.post(sold)
  const refunds = Array.from({ length: 20 }, (_, at) => {
    const parent = at % 2 === 0 ? sold.key : String(body['reference'])
    return client.post(follow('refund', parent, { amount: 30 }))
  })
  const said = (await Promise.all(refunds)).map(verdict)
  assert.equal(said.filter((word) => word === 'succeeded').length, 3)
  assert.equal(said.filter((word) => word === 'amount_exceeds_parent').length, 17)
})

test('a refund may name the capture, and is measured by all that was captured', async (t) => {
  const { client } = await givenGateway(t)
  const held = sale({ operation: 'authorize', amount: 100 })
  const capture = follow('capture', held.key, { amount: 60 })
  assert.deepEqual(
    await verdicts(
      client,
      held,
      capture,
      follow('refund', capture.key, { amount: 61 }),
      follow('refund', capture.key, { amount: 50 }),
      follow('refund', held.key, { amount: 11 }),
      follow('refund', held.key, { amount: 10 }),
    ),
    ['succeeded', 'succeeded', 'amount_exceeds_parent', 'succeeded'].concat(
      'amount_exceeds_parent',
      'succeeded',
    ),
  )
})

test('what follows nothing, a refusal or another currency is declined', async (t) => {
  const { client } = await givenGateway(t)
  const sold = sale()
  const lost = sale({ instrument: { token: 'tok_lost' } })
  assert.deepEqual(
    await verdicts(
      client,
      sold,
      lost,
      follow('refund', 'nobody'),
      follow('refund', lost.key),
      follow('refund', sold.key, { currency: 'USD' }),
      follow('capture', sold.key),
      follow('void', sold.key),
    ),
    ['succeeded', 'lost_card', 'parent_not_found', 'parent_not_successful'].concat(
      'currency_mismatch',
      'parent_not_authorized',
      'parent_not_authorized',
    ),
  )
})

// Each card and each amount is one row of the table: what a first and a second send hear, what an
// inquiry hears after the first, and whether money has moved in the end.
const effects = {
  completes: { first: ['succeeded', 'succeeded'], inquiry: 'succeeded', moves: true },
  declines: { first: ['', ''], inquiry: '', moves: false },
  unknown_done: { first: ['0', 'succeeded'], inquiry: 'succeeded', moves: true },
  unknown_lost: { first: ['0', 'succeeded'], inquiry: '404', moves: true },
  unknown_forever: { first: ['0', '0'], inquiry: '503', moves: false },
  unavailable: { first: ['503', '503', 'succeeded'], inquiry: '404', moves: true },
  refund_pending: { first: ['succeeded', 'succeeded'], inquiry: 'succeeded', moves: true },
  refund_fails: { first: ['succeeded', 'succeeded'], inquiry: 'succeeded', moves: true },
}

for (const operation of ['sale', 'authorize'] as const) {
  const rows = [
    ...sandboxCards.map(({ token, effect }) => ({ name: token, token, amount: 100, effect })),
    ...sandboxAmounts.map(({ amount, effect }) => {
      return { name: `an amount of ${amount}`, token: 'tok_visa', amount, effect }
    }),
  ]
  for (const { name, token, amount, effect } of rows) {
    test(`${operation} with ${name} does what the table says: ${effect.kind}`, async (t) => {
      const { client } = await givenGateway(t)
      const body = sale({ operation, amount, instrument: { token } })
      const { first, inquiry, moves } = effects[effect.kind]
      const code = effect.kind === 'declines' ? effect.code : ''
      const expected = first.map((word) => word || code)
      const heard = [verdict(await client.post(body))]
      assert.equal(verdict(await client.inquire(body.key)), inquiry || code)
      for (const _ of first.slice(1)) heard.push(verdict(await client.post(body)))
      assert.deepEqual(heard, expected)
      assert.deepEqual(await client.moved(), moves ? [body.key] : [])
    })
  }
}

test('a token that is not listed completes', async (t) => {
  const { client } = await givenGateway(t)
  const body = sale({ instrument: { token: 'tok_from_a_real_shop' } })
  assert.equal(verdict(await client.post(body)), 'succeeded')
})

test('tok_refund_pending answers its refund pending and completes it later', async (t) => {
  const { client } = await givenGateway(t)
  const sold = sale({ amount: 100, instrument: { token: 'tok_refund_pending' } })
  const refund = follow('refund', sold.key, { amount: 100 })
  assert.deepEqual(await verdicts(client, sold, refund), ['succeeded', 'pending'])
  assert.equal(verdict(await client.post(follow('refund', sold.key))), 'amount_exceeds_parent')
  await settled(client, refund.key, 'succeeded')
  assert.equal(
    verdict(await client.post(refund)),
    'pending',
    'a repeated POST hears the first answer',
  )
})

test('tok_refund_fails completes its refund, then takes it back', async (t) => {
  const { client } = await givenGateway(t)
  const sold = sale({ amount: 100, instrument: { token: 'tok_refund_fails' } })
  const refund = follow('refund', sold.key, { amount: 100 })
  assert.deepEqual(await verdicts(client, sold, refund), ['succeeded', 'succeeded'])
  const failed = await settled(client, refund.key, 'failed')
  assert.equal(failed.body['code'], 'account_closed')
  const again = follow('refund', sold.key, { amount: 100 })
  assert.equal(verdict(await client.post(again)), 'succeeded', 'the money can be refunded again')
})

// fault, what the first send hears, what an inquiry hears then, what a second send hears
const faults = [
  ['drop_reply', '0', 'succeeded', 'succeeded'],
  ['cut_before', '0', '404', 'succeeded'],
  ['refuse', '503', '404', 'succeeded'],
  ['http_500', '500', 'succeeded', 'succeeded'],
  ['http_429', '429', '404', 'succeeded'],
  ['delay', 'succeeded', 'succeeded', 'succeeded'],
] as const

for (const [fault, first, inquiry, second] of faults) {
  test(`the fault ${fault} strikes once and leaves exactly one effect behind`, async (t) => {
    const { client } = await givenGateway(t)
    const body = sale()
    await client.fault({ fault, ms: 20 })
    assert.equal(verdict(await client.post(body)), first)
    assert.equal(verdict(await client.inquire(body.key)), inquiry)
    assert.equal(verdict(await client.post(body)), second)
    assert.deepEqual(await client.moved(), [body.key])
  })
}

test('the fault wrong_amount names another amount, then and ever after', async (t) => {
  const { client } = await givenGateway(t)
  const body = sale({ amount: 100 })
  await client.fault({ fault: 'wrong_amount' })
  for (const heard of [await client.post(body), await client.inquire(body.key)]) {
    assert.deepEqual([heard.body['status'], heard.body['amount']], ['succeeded', 101])
  }
  assert.equal((await client.post(body)).body['amount'], 101)
})

test('a delayed request is overtaken by its own second send, and is one effect', async (t) => {
  const { client } = await givenGateway(t)
  const body = sale()
  await client.fault({ fault: 'delay', ms: 150 })
  const slow = client.post(body)
  await sleep(50)
  assert.equal((await client.inquire(body.key)).status, 404, 'it is still on its way')
  const fast = await client.post(body)
  assert.deepEqual(await slow, fast)
  assert.deepEqual(await client.moved(), [body.key])
})

test('a fault strikes only what it names, as often as it says, until it is taken away', async (t) => {
  const { client, port } = await givenGateway(t)
  const match = { operation: 'sale', token: 'tok_visa', key: 'the-one', amount: 7 } as const
  await client.fault({ match, fault: 'refuse', times: 2 })
  const named = sale({ key: 'the-one', amount: 7 })
  assert.deepEqual(
    await verdicts(
      client,
      sale({ amount: 7 }),
      { ...named, operation: 'authorize', key: 'another' },
      named,
      named,
      named,
    ),
    ['succeeded', 'succeeded', '503', '503', 'succeeded'],
  )
  await client.fault({ fault: 'refuse', times: 1000 })
  assert.equal((await client.post(sale())).status, 503)
  await fetch(`http://127.0.0.1:${port}/faults`, { method: 'DELETE' })
  assert.equal((await client.post(sale())).status, 200)
})

test('a swallowed reply can also leave the client waiting', async (t) => {
  const { client, port } = await givenGateway(t)
  await client.set({ swallow: 'hang' })
  const body = sale({ instrument: { token: 'tok_unknown_done' } })
  const waiting = fetch(`http://127.0.0.1:${port}/operations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(200),
  })
  await assert.rejects(waiting, { name: 'TimeoutError' })
  await settled(client, body.key, 'succeeded')
})

test('the journal is read page by page, in order and without a gap', async (t) => {
  const { client, port } = await givenGateway(t)
  const bodies = Array.from({ length: 25 }, () => sale())
  await Promise.all(bodies.map((body) => client.post(body)))
  const entries = await client.journal()
  assert.deepEqual(
    entries.map(({ n }) => n),
    bodies.map((_, at) => at + 1),
  )
  const reply = await fetch(`http://127.0.0.1:${port}/journal?after=20&limit=3`)
  assert.deepEqual(await reply.json(), { entries: entries.slice(20, 23), has_more: true })
})
