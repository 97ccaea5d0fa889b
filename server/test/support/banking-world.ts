import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import pg from 'pg'
import { assignHolders } from '../../src/modules/banking/assign-holders.ts'
import { bankingRoutes } from '../../src/modules/banking/banking.routes.ts'
import { type ConsentRow, insertConsents } from '../../src/modules/banking/consent.queries.ts'
import { createTenant } from '../../src/modules/identity/index.ts'
import { openAccounts, openBooks, postEntries } from '../../src/modules/ledger/index.ts'
import type { Actor } from '../../src/platform/actor.ts'
import { createBatcher } from '../../src/platform/batch/batch.ts'
import { databaseOver } from '../../src/platform/db/dialect.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import { createHttp } from '../../src/platform/http/app.ts'
import { createSubmit } from '../../src/platform/http/submit.ts'
import { knownId, newId, publicId } from '../../src/platform/ids.ts'
import { createPaging } from '../../src/platform/page.ts'
import { contractChecks } from './contract-checks.ts'
import { createTestDatabase } from './database.ts'

/**
 * A bank with customers and apps behind its routes: two tenants, in the first of them Anna with three
 * accounts and Bert with one. Callers are whom the test says they are; the clock is the test's.
 */
export type BankingWorld = Awaited<ReturnType<typeof startBankingWorld>>

export interface Tenant {
  readonly id: string
  readonly anna: Customer
  readonly bert: Customer
  /** Unbounded, where money comes from. */
  readonly bank: string
}

export interface Customer {
  readonly partyId: string
  readonly userId: string
  /** Public ids. */
  readonly accounts: readonly [string, ...string[]]
}

export interface Heard {
  readonly status: number
  // A test reads into answers by name; a wrong name is undefined and fails its assertion.
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  readonly body: Record<string, any>
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

export interface CallOptions {
  readonly body?: object
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

const ISSUER = 'http://127.0.0.1:4000'
export const OPENING = 100_000

export async function startBankingWorld() {
  const database = await createTestDatabase()
  const { pools } = database
  const db = databaseOver(pools.read)
  const batcher = createBatcher(pools.money)
  const time = { shift: 0 }
  const now = () => new Date(Date.now() + time.shift)
  const actors = new Map<string, Actor>()
  const http = createHttp({
    issuer: ISSUER,
    clock: { now },
    authenticate: ({ headers }: FastifyRequest) => {
      const actor = actors.get(headers['x-actor'] as string)
      assert.ok(actor, 'the test names an actor that it has not made')
      return actor
    },
    fingerprintKey: randomBytes(32),
  })
  const contract = contractChecks()
  http.addHook('onSend', contract.hook)
  const submit = createSubmit(batcher, ISSUER)
  const paging = createPaging(randomBytes(32))
  const isBank = ({ clientId }: Actor) => clientId?.startsWith('cli_bank') ?? false
  const routes: { method: string; url: string }[] = []
  http.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.push({ method: one, url })
  })
  await http.register(bankingRoutes({ submit, db, paging, isBank }))
  const home = await settle('cli_bank')
  const abroad = await settle('cli_bank_abroad')

  async function settle(bankClient: string): Promise<Tenant> {
    const at = new Date()
    const tenantId = newId(at)
    const [annas, berts] = [newId(at), newId(at)]
    const spec = { tenantId, role: 'customer_funds', currency: 'EUR', at, minAvailable: 0n }
    const named = [
      { ...spec, key: 'anna:1', name: 'Anna’s account' },
      { ...spec, key: 'anna:2', name: 'Anna’s savings' },
      { ...spec, key: 'anna:3', name: 'Anna’s secret' },
      { ...spec, key: 'bert:1', name: 'Bert’s account' },
      { ...spec, key: 'bank', name: 'Bank', role: 'bank', minAvailable: null },
    ]
    return await inTransaction(pools.money, async (tx) => {
      await createTenant(tx, { tenantId, name: bankClient, mode: 'sandbox', at })
      await openBooks(tx, { tenantId, timeZone: 'Europe/Berlin' })
      const ids = await openAccounts(tx, named)
      const id = (key: string) => ids.get(`${tenantId} ${key}`) as string
      const held = [
        { partyId: annas, accountId: id('anna:1'), number: 'DE89370400440532013000' },
        { partyId: annas, accountId: id('anna:2'), type: 'savings' as const },
        { partyId: annas, accountId: id('anna:3') },
        { partyId: berts, accountId: id('bert:1') },
      ]
      await assignHolders(
        tx,
        held.map((one) => ({ ...one, tenantId, at })),
      )
      for (const { accountId } of held) await fund(tx, tenantId, id('bank'), accountId, OPENING)
      const own = (keys: string[]) =>
        keys.map((key) => publicId('acc', id(key))) as unknown as [string, ...string[]]
      actors.set(bankClient, actorOf({ tenantId, clientId: bankClient }))
      return {
        id: tenantId,
        bank: id('bank'),
        anna: {
          partyId: annas,
          userId: publicId('usr', newId(at)),
          accounts: own(['anna:1', 'anna:2', 'anna:3']),
        },
        bert: { partyId: berts, userId: publicId('usr', newId(at)), accounts: own(['bert:1']) },
      }
    })
  }

  async function fund(
    tx: Parameters<typeof postEntries>[0],
    tenantId: string,
    bank: string,
    accountId: string,
    amount: number,
  ): Promise<void> {
    const at = new Date()
    const [outcome] = await postEntries(tx, [
      {
        kind: 'post',
        tenantId,
        transactionId: newId(at),
        requestId: 'req_test',
        at,
        type: 'opening_balance',
        legs: [
          { accountId: bank, currency: 'EUR', amount: BigInt(amount) },
          { accountId, currency: 'EUR', amount: -BigInt(amount) },
        ],
      },
    ])
    assert.ok(outcome?.ok)
  }

  /** Another account of a customer; the bank gives it `funds`. */
  async function givenAccount(
    customer: Customer,
    {
      tenant = home,
      funds = OPENING,
      currency = 'EUR',
      minAvailable = 0n,
    }: { tenant?: Tenant; funds?: number; currency?: string; minAvailable?: bigint | null } = {},
  ): Promise<string> {
    const at = new Date()
    const key = `account:${newId(at)}`
    const spec = { tenantId: tenant.id, role: 'customer_funds', name: 'Account', at }
    return await inTransaction(pools.money, async (tx) => {
      const ids = await openAccounts(tx, [{ ...spec, key, currency, minAvailable }])
      const accountId = ids.get(`${tenant.id} ${key}`) as string
      await assignHolders(tx, [{ tenantId: tenant.id, accountId, partyId: customer.partyId, at }])
      if (funds > 0) await fund(tx, tenant.id, tenant.bank, accountId, funds)
      return publicId('acc', accountId)
    })
  }

  /** A consent as the consent page leaves it, and the app's token under it: the name of its actor. */
  async function givenConsent(
    customer: Customer,
    accounts: readonly string[],
    {
      tenant = home,
      clientId = 'cli_app',
      scopes = ALL,
      ...changes
    }: {
      tenant?: Tenant
      clientId?: string
      scopes?: readonly string[]
    } & Partial<ConsentRow> = {},
  ): Promise<{ id: string; actor: string; row: ConsentRow }> {
    const at = new Date()
    const grantId = randomBytes(16).toString('base64url')
    const row: ConsentRow = {
      tenant_id: tenant.id,
      id: newId(at),
      version: 1,
      event_sequence: 1,
      state: 'authorised',
      client_id: clientId,
      client_profile: 'standard',
      user_id: customer.userId,
      party_id: customer.partyId,
      grant_id: grantId,
      permissions: [...ALL],
      account_ids: accounts.map(knownId),
      max_amount: null,
      per_day: null,
      per_month: null,
      count_per_day: null,
      payment: null,
      valid_until: new Date(at.getTime() + 90 * 24 * 3_600_000),
      transactions_from: null,
      transactions_to: null,
      created_by: customer.userId,
      created_at: at,
      authorised_at: at,
      revoked_at: null,
      revoked_by: null,
      last_used_at: null,
      ...changes,
    }
    await inTransaction(pools.money, (tx) => insertConsents(tx, [row]))
    actors.set(grantId, actorOf({ tenantId: tenant.id, clientId, customer, grantId, scopes }))
    return { id: publicId('con', row.id), actor: grantId, row }
  }

  /** An actor under a name of the test's choosing. */
  function givenActor(name: string, actor: Parameters<typeof actorOf>[0]): string {
    actors.set(name, actorOf(actor))
    return name
  }

  function actorNamed(name: string): Actor {
    const actor = actors.get(name)
    assert.ok(actor)
    return actor
  }

  async function call(
    actor: string,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    { body, key, headers = {} }: CallOptions = {},
  ): Promise<Heard> {
    const answer = await http.inject({
      method,
      url: path,
      headers: {
        'x-actor': actor,
        ...(method === 'POST' && { 'idempotency-key': key ?? randomBytes(8).toString('hex') }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })
    contract.assertKept()
    const parsed = answer.body.startsWith('{') ? JSON.parse(answer.body) : {}
    return { status: answer.statusCode, body: parsed, text: answer.body, headers: answer.headers }
  }

  const transfer = (actor: string, body: object, more: CallOptions = {}) =>
    call(actor, 'POST', '/api/transfer', { body: { currency: 'EUR', ...body }, ...more })

  async function balanceOf(account: string, bank = 'cli_bank'): Promise<Heard['body']> {
    const heard = await call(bank, 'GET', `/api/account/balance?account_id=${account}`)
    assert.equal(heard.status, 200, heard.text)
    return heard.body
  }

  /** As the owner of the tables. */
  async function asOwner<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client(database.connection)
    await client.connect()
    try {
      return (await client.query<Row>(text, values)).rows
    } finally {
      await client.end()
    }
  }

  return {
    database,
    pools,
    db,
    batcher,
    http,
    routes,
    time,
    now,
    home,
    abroad,
    givenAccount,
    givenConsent,
    givenActor,
    actorNamed,
    call,
    transfer,
    balanceOf,
    asOwner,
    async close() {
      await http.close()
      await batcher.drain()
      await database.close()
    },
  }
}

export const ALL = [
  'accounts:read',
  'balance:read',
  'transactions:read',
  'transfer:write',
  'consents:read',
  'consents:write',
] as const

function actorOf({
  tenantId,
  clientId,
  customer,
  grantId = '',
  scopes = ALL,
}: {
  tenantId: string
  clientId: string
  customer?: Customer
  grantId?: string
  scopes?: readonly string[]
}): Actor {
  const shared = {
    tenantId,
    tenantMode: 'sandbox' as const,
    clientId,
    scopes: new Set(scopes),
    origin: '127.0.0.1',
  }
  if (customer === undefined)
    return { ...shared, kind: 'client', id: clientId, principal: clientId }
  const { userId, partyId } = customer
  const user = { id: userId, partyId, grantId, acr: 'ch:2', amr: ['pwd', 'otp'] }
  return {
    ...shared,
    kind: 'app',
    id: userId,
    principal: `${clientId} ${userId}`,
    user: { ...user, authenticatedAt: new Date() },
  }
}
