import { randomBytes } from 'node:crypto'
import {
  findBalances,
  openAccounts,
  openBooks,
  postEntries,
} from '../../src/modules/ledger/index.ts'
import type { NewPayment } from '../../src/modules/payments/create-payments.ts'
import { createPayments } from '../../src/modules/payments/create-payments.ts'
import {
  type ClaimedAttempt,
  claimDueAttempts,
} from '../../src/modules/payments/attempt.queries.ts'
import { type PaymentRow, findPayment } from '../../src/modules/payments/payment.queries.ts'
import { type GatewayReply, recordReplies } from '../../src/modules/payments/record-replies.ts'
import type { Actor } from '../../src/platform/actor.ts'
import type { Asked, Command } from '../../src/platform/command.ts'
import { databaseOver } from '../../src/platform/db/dialect.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import { type Outcome, valueOf } from '../../src/platform/errors.ts'
import { newId } from '../../src/platform/ids.ts'
import { createTestDatabase } from './database.ts'

/** Two tenants with accounts and money, and a hand on every command: no HTTP, no worker, own clock. */
export type PaymentsWorld = Awaited<ReturnType<typeof createPaymentsWorld>>

export interface World {
  readonly tenantId: string
  readonly actor: Actor
  readonly operating: string
  readonly alice: string
  readonly bob: string
}

export async function createPaymentsWorld() {
  const database = await createTestDatabase()
  const { pools } = database
  const db = databaseOver(pools.read)
  const home = await settle()
  const abroad = await settle()

  async function settle(): Promise<World> {
    const at = new Date()
    const tenantId = newId(at)
    const spec = { tenantId, role: 'customer_funds', currency: 'EUR', name: 'Account', at }
    return await inTransaction(pools.money, async (tx) => {
      await openBooks(tx, { tenantId, timeZone: 'UTC' })
      const ids = await openAccounts(tx, [
        { ...spec, key: 'operating:EUR' },
        { ...spec, key: 'alice', minAvailable: 0n },
        { ...spec, key: 'bob', minAvailable: 0n },
        { ...spec, key: 'bank', role: 'bank' },
      ])
      const id = (key: string) => ids.get(`${tenantId} ${key}`) as string
      const [funded] = await postEntries(tx, [
        {
          kind: 'post',
          tenantId,
          transactionId: newId(at),
          requestId: 'req_test',
          at,
          type: 'opening_balance',
          legs: [
            { accountId: id('bank'), currency: 'EUR', amount: 10_000n },
            { accountId: id('alice'), currency: 'EUR', amount: -10_000n },
          ],
        },
      ])
      if (funded?.ok !== true) throw new Error('alice was not funded')
      const actor: Actor = {
        kind: 'client',
        tenantId,
        tenantMode: 'sandbox',
        id: 'cli_test',
        scopes: new Set(),
        principal: 'cli_test',
        origin: '127.0.0.1',
      }
      return { tenantId, actor, operating: id('operating:EUR'), alice: id('alice'), bob: id('bob') }
    })
  }

  function ask<Input>(input: Input, { world = home, at = new Date() } = {}): Asked<Input> {
    return { tenantId: world.tenantId, actor: world.actor, requestId: 'req_test', at, input }
  }

  /** Runs one batch, as `platform/batch` would. */
  async function run<Input, Value, Held>(
    command: Command<Input, Value, Held>,
    ...requests: Asked<Input>[]
  ): Promise<readonly Outcome<Value>[]> {
    return await inTransaction(pools.money, async (tx) => {
      const held = (await command.lock?.(tx, requests)) as Held
      return await command.run(tx, requests, held)
    })
  }

  const card = (more: Partial<NewPayment> = {}, world = home): NewPayment => ({
    id: newId(new Date()),
    amount: 1_000n,
    currency: 'EUR',
    method: { type: 'card', card: { token: 'tok_visa', brand: 'visa', last4: '4242' } },
    recipientAccountId: world.bob,
    sourceAccountId: null,
    gatewayId: 'sandbox',
    captureMethod: 'automatic',
    description: null,
    statementDescriptor: null,
    externalId: null,
    metadata: {},
    ...more,
  })
  const book = (more: Partial<NewPayment> = {}, world = home): NewPayment =>
    card({
      method: { type: 'book' },
      sourceAccountId: world.alice,
      gatewayId: null,
      ...more,
    })

  async function create(input: NewPayment, world = home): Promise<PaymentRow> {
    const [outcome] = await run(createPayments, ask(input, { world }))
    return valueOf(outcome as Outcome<PaymentRow>)
  }

  /** Leases what is due, as the worker does. */
  async function claim(world = home, now = new Date()): Promise<readonly ClaimedAttempt[]> {
    return await claimDueAttempts(databaseOver(pools.due), [world.tenantId], {
      now,
      limit: 500,
      leaseSeconds: 30,
    })
  }

  async function reply(attempt: ClaimedAttempt, answer: GatewayReply, at = new Date()) {
    const world = attempt.tenant_id === home.tenantId ? home : abroad
    const [outcome] = await run(recordReplies, ask({ attempt, reply: answer }, { world, at }))
    return valueOf(outcome as Outcome<'recorded' | 'stale'>)
  }

  /** The gateway says yes to everything of this payment that is due. */
  async function settleAll(paymentId: string): Promise<void> {
    for (const attempt of await claim()) {
      if (attempt.payment_id === paymentId) await reply(attempt, succeeded(attempt))
    }
  }

  async function givenAuthorized(amount = 1_000n): Promise<PaymentRow> {
    const { id } = await create(card({ amount, captureMethod: 'manual' }))
    await settleAll(id)
    return await stored(id)
  }

  async function givenPaid(amount = 1_000n): Promise<PaymentRow> {
    const { id } = await create(card({ amount }))
    await settleAll(id)
    return await stored(id)
  }

  async function stored(id: string, world = home): Promise<PaymentRow> {
    const row = await findPayment(db, world.tenantId, id)
    if (row === undefined) throw new Error(`no payment ${id}`)
    return row
  }

  /** Credits less debits: what customer accounts show. */
  async function balanceOf(accountId: string, world = home): Promise<bigint> {
    const [row] = await findBalances(db, [{ tenantId: world.tenantId, id: accountId }])
    if (row === undefined) throw new Error(`no account ${accountId}`)
    return row.credits_posted - row.debits_posted
  }

  return {
    database,
    pools,
    db,
    home,
    abroad,
    ask,
    run,
    card,
    book,
    create,
    claim,
    reply,
    settleAll,
    givenAuthorized,
    givenPaid,
    stored,
    balanceOf,
    close: () => database.close(),
  }
}

/** A gateway's success for what was asked. */
export function succeeded(attempt: { amount: bigint; currency: string }): GatewayReply {
  const echoed = { amount: attempt.amount, currency: attempt.currency }
  const reference = `gw_${randomBytes(6).toString('hex')}`
  return { sent: true, outcome: { kind: 'succeeded', reference, echoed, raw: {} } }
}
