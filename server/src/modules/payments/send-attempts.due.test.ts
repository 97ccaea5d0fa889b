import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PaymentsWorld, createPaymentsWorld } from '../../../test/support/payments-world.ts'
import { createBatcher } from '../../platform/batch/batch.ts'
import { systemClock } from '../../platform/clock.ts'
import { publicId } from '../../platform/ids.ts'
import type { ClaimedAttempt } from './attempt.queries.ts'
import type { Capabilities, Connector, InquiryOutcome } from './connectors/connector.ts'
import { attemptQueue } from './send-attempts.due.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

const capabilities: Capabilities = {
  paymentTypes: ['card'],
  tenantModes: ['sandbox'],
  operations: ['sale'],
  currencies: 'any',
  idempotency: 'key',
  inquiry: 'key',
  captures: 'multiple',
  refunds: 'multiple',
  refundDays: 180,
  keyLifetimeMs: 86_400_000,
}

/** A gateway that says what it is told to and notes what it was asked. */
function gatewayThat(inquiry: InquiryOutcome['kind'], more: Partial<Capabilities> = {}) {
  const asked: string[] = []
  const done = ({ amount, currency }: { amount: bigint; currency: string }) =>
    ({ kind: 'succeeded', reference: 'gw_1', echoed: { amount, currency }, raw: {} }) as const
  const connector: Connector = {
    id: 'sandbox',
    capabilities: { ...capabilities, ...more },
    send(call, operation) {
      asked.push(`${call.resend ? 'send again' : 'send'} ${call.key}`)
      return Promise.resolve(done(operation))
    },
    inquire(call, sent) {
      asked.push(`inquire ${call.key}`)
      if (inquiry === 'not_found') return Promise.resolve({ kind: inquiry })
      return Promise.resolve(
        inquiry === 'succeeded' ? done(sent) : { kind: 'unknown', cause: 'timeout' },
      )
    },
    close: () => Promise.resolve(),
  }
  return { connector, asked }
}

async function given(status: ClaimedAttempt['status'], claims = 1) {
  const { id } = await world.create(world.card())
  const attempt = (await world.claim()).find((row) => row.payment_id === id)
  assert.ok(attempt !== undefined)
  return { id, attempt: { ...attempt, status, claims }, key: publicId('att', attempt.id) }
}

async function work(connector: Connector, attempt: ClaimedAttempt): Promise<void> {
  const batcher = createBatcher(world.pools.money)
  const queue = attemptQueue({ batcher, connectors: [connector], clock: systemClock })
  await queue.work(attempt, AbortSignal.timeout(5_000))
}

test('what was never sent is sent, under the id of the attempt', async () => {
  const { connector, asked } = gatewayThat('not_found')
  const { id, attempt, key } = await given('created')
  await work(connector, attempt)
  assert.deepEqual(asked, [`send ${key}`])
  assert.equal((await world.stored(id)).state, 'completed')
})

test('what a dead worker may have sent is asked about first, and not sent when it is there', async () => {
  const { connector, asked } = gatewayThat('succeeded')
  const { id, attempt, key } = await given('sending')
  await work(connector, attempt)
  assert.deepEqual(asked, [`inquire ${key}`])
  assert.equal((await world.stored(id)).state, 'completed')
})

test('what the gateway does not know is sent again, under the same key', async () => {
  const { connector, asked } = gatewayThat('not_found')
  const { id, attempt, key } = await given('unknown')
  await work(connector, attempt)
  assert.deepEqual(asked, [`inquire ${key}`, `send again ${key}`])
  assert.equal((await world.stored(id)).state, 'completed')
})

test('an inquiry that fails leaves it unknown, and nothing is sent', async () => {
  const { connector, asked } = gatewayThat('unknown')
  const { id, attempt, key } = await given('unknown')
  await work(connector, attempt)
  assert.deepEqual(asked, [`inquire ${key}`])
  assert.equal((await world.stored(id)).state, 'pending')
})

for (const [what, more] of [
  ['a gateway without keys', { idempotency: 'none' }],
  ['a gateway that may have forgotten the key', { keyLifetimeMs: 0 }],
] as const) {
  test(`${what} is never sent the same again: a person decides`, async () => {
    const { connector, asked } = gatewayThat('not_found', more)
    const { id, attempt, key } = await given('unknown')
    await work(connector, attempt)
    assert.deepEqual(asked, [`inquire ${key}`])
    assert.equal((await world.stored(id)).state, 'needs_review')
  })
}

test('what has outlived five workers is left to a person, and not tried again', async () => {
  const { connector, asked } = gatewayThat('succeeded')
  const { id, attempt } = await given('sending', 5)
  await work(connector, attempt)
  assert.deepEqual(asked, [])
  assert.equal((await world.stored(id)).state, 'needs_review')
})
