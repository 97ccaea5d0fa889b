import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import pg from 'pg'
import { ledgerRoutes, openBooks } from '../../src/modules/ledger/index.ts'
import type { Actor } from '../../src/platform/actor.ts'
import { type Batcher, createBatcher } from '../../src/platform/batch/batch.ts'
import type { Asked, Command } from '../../src/platform/command.ts'
import { databaseOver } from '../../src/platform/db/dialect.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import type { Outcome } from '../../src/platform/errors.ts'
import { type Http, createHttp } from '../../src/platform/http/app.ts'
import { createSubmit } from '../../src/platform/http/submit.ts'
import { newId, publicId } from '../../src/platform/ids.ts'
import { createPaging } from '../../src/platform/page.ts'
import { contractChecks } from './contract-checks.ts'
import { type TestDatabase, createTestDatabase } from './database.ts'

/** The ledger behind its routes, on a database of its own; callers are whom the test says they are. */
export interface LedgerWorld {
  readonly database: TestDatabase
  readonly batcher: Batcher
  /** A tenant with books; its id is a uuid. */
  readonly tenantId: string
  givenTenant(timeZone?: string): Promise<string>
  /** The public id of a new account of the tenant: customer_funds in EUR unless told otherwise. */
  givenAccount(changes?: AccountChanges): Promise<string>
  /** Puts money on an account, from a bank account that is unbounded. */
  givenFunds(account: string, amount: number): Promise<void>
  /** One request; the answer has been held against the route's schema. */
  call(method: Method, path: string, asked?: CallOptions): Promise<Heard>
  /** Runs a command once over all inputs, in one transaction. */
  run<Input, Value, Held>(
    command: Command<Input, Value, Held>,
    ...inputs: readonly (Input | Asked<Input>)[]
  ): Promise<readonly Outcome<Value>[]>
  /** A request of the tenant, or of another. */
  asked<Input>(input: Input, changes?: Partial<Asked<Input>>): Asked<Input>
  /** As the service's own role. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** As the owner of the tables. */
  asOwner<Row extends object>(...texts: readonly string[]): Promise<Row[]>
  close(): Promise<void>
}

type Method = 'GET' | 'POST' | 'PATCH'

export interface AccountChanges {
  readonly role?: string
  readonly currency?: string
  readonly min_available?: number | null
  readonly max_balance?: number | null
  readonly tenantId?: string
}

export interface CallOptions {
  readonly body?: object
  readonly tenantId?: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly scopes?: readonly string[]
}

export interface Heard {
  readonly status: number
  readonly body: Body
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

// A test reads into answers by name; a wrong name is undefined and fails its assertion.
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type Body = Record<string, any>

const ISSUER = 'http://127.0.0.1:4000'

/** `over` may put a proxy between the money pool and the database. */
export async function startLedgerWorld(
  over: (database: TestDatabase) => pg.Pool | Promise<pg.Pool> = ({ pools }) => pools.money,
): Promise<LedgerWorld> {
  const { database, money, batcher, http, send } = await openParts(over)
  const tenantId = await givenTenant()
  const call: LedgerWorld['call'] = (method, path, options) =>
    send(method, path, { tenantId, ...options })
  let bank: Promise<string> | undefined

  async function givenTenant(timeZone = 'UTC'): Promise<string> {
    const id = newId(new Date())
    await inTransaction(database.pools.money, (tx) => openBooks(tx, { tenantId: id, timeZone }))
    return id
  }

  async function givenAccount({ tenantId: owner, ...changes }: AccountChanges = {}) {
    const body = { name: 'An account', role: 'customer_funds', currency: 'EUR', ...changes }
    const heard = await call('POST', '/ledger/accounts', {
      body,
      ...(owner !== undefined && { tenantId: owner }),
    })
    assert.equal(heard.status, 201, heard.text)
    return heard.body['id'] as string
  }

  async function givenFunds(account: string, amount: number): Promise<void> {
    bank ??= givenAccount({ role: 'bank' })
    const heard = await call('POST', '/ledger/transactions', {
      body: transfer(await bank, account, amount),
    })
    assert.equal(heard.status, 201, heard.text)
  }

  function asked<Input>(input: Input, changes: Partial<Asked<Input>> = {}): Asked<Input> {
    const at = new Date()
    const requestId = publicId('req', newId(at))
    return {
      tenantId,
      actor: actorFor(changes.tenantId ?? tenantId),
      requestId,
      at,
      input,
      ...changes,
    }
  }

  return {
    database,
    batcher,
    tenantId,
    givenTenant,
    givenAccount,
    givenFunds,
    call,
    asked,
    run(command, ...inputs) {
      const requests = inputs.map((input) => (isAsked(input) ? input : asked(input)))
      return inTransaction(database.pools.money, async (tx) => {
        const held = await command.lock?.(tx, requests)
        return command.run(tx, requests, held as never)
      })
    },
    async query<Row extends object>(text: string, values: readonly unknown[] = []) {
      return (await database.pools.identity.query(text, [...values])).rows as Row[]
    },
    asOwner: <Row extends object>(...texts: readonly string[]) => asOwner<Row>(database, texts),
    async close() {
      await http.close()
      await batcher.drain()
      if (money !== database.pools.money) await money.end()
      await database.close()
    },
  }
}

async function openParts(over: (database: TestDatabase) => pg.Pool | Promise<pg.Pool>) {
  const database = await createTestDatabase()
  const { read, report } = database.pools
  const money = await over(database)
  const batcher = createBatcher(money)
  const http = createHttp({
    issuer: ISSUER,
    clock: { now: () => new Date() },
    authenticate: actorOf,
    fingerprintKey: randomBytes(32),
  })
  const send = callerOf(http)
  await http.register(
    ledgerRoutes({
      submit: createSubmit(batcher, ISSUER),
      db: databaseOver(read),
      reports: databaseOver(report),
      paging: createPaging(randomBytes(32)),
    }),
  )
  return { database, money, batcher, http, send }
}

/** Sends requests and holds every success against the schema that its route documents. */
function callerOf(http: Http) {
  const contract = contractChecks()
  http.addHook('onSend', contract.hook)
  return async (
    method: Method,
    path: string,
    options: CallOptions & { readonly tenantId: string },
  ): Promise<Heard> => {
    const { tenantId, body, key = randomBytes(8).toString('hex'), headers = {}, scopes } = options
    const answer = await http.inject({
      method,
      url: path,
      headers: {
        'x-tenant': tenantId,
        ...(scopes !== undefined && { 'x-scopes': scopes.join(' ') }),
        ...(method === 'POST' && key !== '' && { 'idempotency-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })
    contract.assertKept()
    const json = answer.body.startsWith('{') ? (JSON.parse(answer.body) as Body) : {}
    return { status: answer.statusCode, body: json, text: answer.body, headers: answer.headers }
  }
}

function isAsked<Input>(input: Input | Asked<Input>): input is Asked<Input> {
  return typeof input === 'object' && input !== null && 'actor' in input
}

/** Debits one account and credits the other: from a bank to a customer, or between customers. */
export function transfer(debit: string, credit: string, amount: number, changes: object = {}) {
  return {
    type: 'book_transfer',
    entries: [
      { account_id: debit, direction: 'debit', amount, currency: 'EUR' },
      { account_id: credit, direction: 'credit', amount, currency: 'EUR' },
    ],
    ...changes,
  }
}

function actorOf({ headers }: FastifyRequest): Actor {
  const scopes = headers['x-scopes']
  return actorFor(
    headers['x-tenant'] as string,
    typeof scopes === 'string' ? scopes.split(' ') : undefined,
  )
}

function actorFor(tenantId: string, scopes = ['ledger:read', 'ledger:write']): Actor {
  return {
    kind: 'client',
    tenantId,
    tenantMode: 'sandbox',
    id: 'cli_test',
    scopes: new Set(scopes),
    principal: 'cli_test',
    origin: '127.0.0.1',
  }
}

async function asOwner<Row extends object>(
  { connection }: TestDatabase,
  texts: readonly string[],
): Promise<Row[]> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    let rows: Row[] = []
    for (const text of texts) rows = (await client.query<Row>(text)).rows
    return rows
  } finally {
    await client.end()
  }
}
