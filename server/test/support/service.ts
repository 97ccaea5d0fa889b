import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { type Credentials, draftCredentials } from '../../src/app/credentials.ts'
import { seedSandbox } from '../../src/app/seed-sandbox.ts'
import { type Service, openService } from '../../src/app/service.ts'
import { sandboxConnector } from '../../src/modules/payments/index.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { type Sealing, sealingUnder } from '../../src/platform/crypto/sealing.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import { internalId } from '../../src/platform/ids.ts'
import { startSandboxGateway } from '../../src/sandbox-gateway/server.ts'
import { type TestClient, clientOf } from './gateway-client.ts'
import { type TestDatabase, createTestDatabase } from './database.ts'
import { freePort } from './free-port.ts'

/** The whole program on a database of its own, as `npm start` runs it: api, worker and gateway. */
export interface TestService {
  readonly baseUrl: string
  /** Access tokens of the seeded tenant's clients, and of a client of another tenant. */
  readonly tokens: {
    readonly backoffice: string
    readonly approver: string
    readonly stranger: string
  }
  /** Public ids; each customer holds 1,000,000 minor units of EUR. */
  readonly accounts: Credentials['accounts']
  /** The seeded tenant and the stranger's, as `npm start` would have written them. */
  readonly credentials: Credentials
  readonly stranger: Credentials
  /** The uuid of the seeded tenant, for looking into the database. */
  readonly tenantId: string
  /** Orders faults of the running gateway and reads its journal. */
  readonly gateway: TestClient
  readonly service: Service
  readonly sealing: Sealing
  readonly database: TestDatabase
  /** A token for a client of `credentials` or `stranger`. */
  token(client: { readonly client_id: string; readonly client_secret: string }): Promise<string>
  /** JSON in and out, under the backoffice's token and a fresh Idempotency-Key unless told otherwise. */
  call(method: string, path: string, asked?: Asked): Promise<Heard>
  /** Another API process of this install, as far as it shares only the database. It has its own port. */
  startNode(): Promise<TestNode>
  close(): Promise<void>
}

export interface TestNode {
  readonly baseUrl: string
  readonly service: Service
  close(): Promise<void>
}

export interface Asked {
  readonly body?: object
  readonly token?: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Heard {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

export interface TestServiceOptions {
  /** Default true; false leaves due rows alone. */
  readonly worker?: boolean
  /** Of the gateway's answers, in ms. */
  readonly latency?: readonly [number, number]
  /** Default 900. The API takes them for 15 s more. */
  readonly accessTokenSeconds?: number
}

/** Call it once per file and `after(() => service.close())`. */
export async function startServiceForTests({
  worker = true,
  latency = [0, 1],
  accessTokenSeconds = 900,
}: TestServiceOptions = {}): Promise<TestService> {
  const cleanup = new AsyncDisposableStack()
  try {
    const database = cleanup.adopt(await createTestDatabase(), (it) => it.close())
    const folder = await mkdtemp(join(tmpdir(), 'countinghouse-gateway-'))
    cleanup.defer(() => rm(folder, { recursive: true, force: true }))
    const gateway = cleanup.adopt(
      await startSandboxGateway({
        port: 0,
        host: '127.0.0.1',
        journalDir: folder,
        settings: { latency_ms: [...latency] },
      }),
      (it) => it.close(),
    )
    const port = await freePort() // the issuer must be known before the service listens
    const baseUrl = `http://127.0.0.1:${port}`
    const gatewayUrl = `http://127.0.0.1:${gateway.port}`
    const at = systemClock.now()
    const sealing = sealingUnder(randomBytes(32))
    const credentials = draftCredentials({ baseUrl, gatewayUrl }, at)
    const stranger = draftCredentials({ baseUrl, gatewayUrl }, at)
    for (const tenant of [credentials, stranger]) {
      await inTransaction(database.pools.money, (tx) => seedSandbox(tx, tenant, { sealing, at }))
    }
    const open = () =>
      openService({
        connection: database.connection,
        issuer: baseUrl,
        clock: systemClock,
        sealing,
        accessTokenSeconds,
        connectors: [sandboxConnector({ baseUrl: gatewayUrl })],
        logger: pino({ level: process.env['COUNTINGHOUSE_TEST_LOG'] ?? 'silent' }),
      })
    const service = cleanup.adopt(await open(), (it) => it.close())
    await service.http.listen({ host: '127.0.0.1', port })
    if (worker) service.startWorkers()

    const token = (client: { client_id: string; client_secret: string }) => tokenOf(baseUrl, client)
    const [backoffice, approver, strange] = await Promise.all([
      token(credentials.clients.backoffice),
      token(credentials.clients.approver),
      token(stranger.clients.backoffice),
    ])
    const resources = cleanup.move()
    return {
      baseUrl,
      tokens: { backoffice, approver, stranger: strange },
      accounts: credentials.accounts,
      credentials,
      stranger,
      tenantId: internalId('ten', credentials.tenant_id) as string,
      gateway: clientOf(gateway.port),
      service,
      sealing,
      database,
      token,
      call: (method, path, asked = {}) =>
        call(`${baseUrl}${path}`, method, { token: backoffice, ...asked }),
      async startNode() {
        const node = await open()
        const address = await node.http.listen({ host: '127.0.0.1', port: 0 })
        return { baseUrl: address, service: node, close: () => node.close() }
      },
      close: () => resources.disposeAsync(),
    }
  } catch (error) {
    await cleanup.disposeAsync()
    throw error
  }
}

async function call(url: string, method: string, asked: Asked & { token: string }): Promise<Heard> {
  const { body, token, key = randomBytes(12).toString('hex'), headers } = asked
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(method === 'POST' && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const answer = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: response.status, headers: response.headers, body: answer }
}

async function tokenOf(
  baseUrl: string,
  client: { readonly client_id: string; readonly client_secret: string },
): Promise<string> {
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')
  const response = await fetch(`${baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const { access_token: token } = (await response.json()) as { access_token?: string }
  if (token === undefined) throw new Error(`no token: ${response.status}`)
  return token
}
