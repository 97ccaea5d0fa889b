import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type {
  Connector,
  GatewayCall,
  GatewayOutcome,
  InquiryOutcome,
  Operation,
} from './connector.ts'

/**
 * What every connector is held to, whatever its gateway: a table of what the gateway or the network
 * may do and the outcome that follows, and rules that hold for all of it. The far end is a server
 * that says what the case wants said, so that the connector's own HTTP client is under test.
 */
export interface ConnectorContract {
  /** A connector that takes the server at `baseUrl` for its gateway. */
  connect(baseUrl: string): Connector
  readonly operation: Operation
  /** The gateway's answer that the operation was done in full, with its HTTP status. */
  success(call: { key: string }): { status: number; body: Record<string, unknown> }
  /** That answer for another amount. */
  successOf(call: { key: string }, amount: bigint): { status: number; body: unknown }
  readonly cases: readonly ContractCase[]
}

export interface ContractCase {
  readonly title: string
  readonly gateway: (call: { key: string }) => CannedReply
  /** `resend`: what follows when an earlier send with the key may have left; `send` when left out. */
  readonly send: Expected
  readonly resend?: Expected
  readonly inquire: Expected<InquiryOutcome['kind']>
}

export type CannedReply =
  | { status: number; headers?: Record<string, string>; body: unknown }
  | 'cut_before_answer'
  | 'cut_in_body'
  | 'silence'

/** The kind, and a detail where one is due: a failure code or a cause. */
type Expected<Kind = GatewayOutcome['kind']> = Kind | { kind: Kind; code?: string; cause?: string }

const PATIENCE_MS = 10_000 // a busy machine is no reason to fail
const SILENCE_MS = 100 // how long a case without an answer waits for it

export function testConnectorContract(name: string, contract: ConnectorContract): void {
  suite(`connector contract: ${name}`, () => {
    let gateway: FakeGateway
    let connector: Connector

    before(async () => {
      gateway = await startFakeGateway()
      connector = contract.connect(gateway.url)
    })
    after(async () => {
      await connector?.close()
      await gateway?.close()
    })

    const ends = () => ({ gateway, connector })
    testCases(contract, ends)
    testAmounts(contract, ends)
    testLookalikes(contract, ends)
    testSilence(contract, ends)
  })
}

/** Both ends of the line, as they are when a test runs. */
type Ends = () => { readonly gateway: FakeGateway; readonly connector: Connector }

function testCases({ cases, operation }: ConnectorContract, ends: Ends): void {
  for (const { title, gateway: reply, send, resend = send, inquire } of cases) {
    test(title, async () => {
      const { gateway, connector } = ends()
      const { key } = aCall()
      gateway.reply = reply({ key })
      const patience = gateway.reply === 'silence' ? SILENCE_MS : PATIENCE_MS
      const call = (again: boolean) => ({ ...aCall(key, patience), resend: again })
      assertOutcome(await connector.send(call(false), operation), send)
      assertOutcome(await connector.send(call(true), operation), resend)
      assertOutcome(await connector.inquire(call(true), operation), inquire)
    })
  }
}

function testAmounts(contract: ConnectorContract, ends: Ends): void {
  test('a full success is a success, and carries what the gateway says it moved', async () => {
    const { gateway, connector } = ends()
    const call = aCall()
    gateway.reply = contract.success(call)
    const { amount, currency } = contract.operation
    for (const outcome of await sendAndInquire(connector, call, contract.operation)) {
      assert.equal(outcome.kind, 'succeeded')
      assert.deepEqual(outcome.kind === 'succeeded' && outcome.echoed, { amount, currency })
    }
  })

  test('another amount than asked is told as it is, for the caller to compare', async () => {
    const { gateway, connector } = ends()
    const call = aCall()
    const amount = contract.operation.amount + 1n
    gateway.reply = contract.successOf(call, amount)
    for (const outcome of await sendAndInquire(connector, call, contract.operation)) {
      assert.ok(outcome.kind !== 'succeeded' || outcome.echoed.amount === amount)
    }
  })
}

function testLookalikes(contract: ConnectorContract, ends: Ends): void {
  test('the words of success under any other HTTP status are no success', async () => {
    const { gateway, connector } = ends()
    const call = aCall()
    const good = contract.success(call)
    for (const status of [201, 202, 204, 302, 400, 402, 408, 409, 422, 500, 502, 503, 504]) {
      if (status === good.status) continue
      gateway.reply = { status, body: good.body }
      for (const outcome of await sendAndInquire(connector, call, contract.operation)) {
        assert.notEqual(outcome.kind, 'succeeded', `HTTP ${status}`)
      }
    }
  })

  test('an answer that misses a member or holds another type is no success', async () => {
    const { gateway, connector } = ends()
    const call = aCall()
    const { status, body } = contract.success(call)
    for (const member of Object.keys(body)) {
      for (const bad of [undefined, null, {}, [], '', -1, 0.5]) {
        gateway.reply = { status, body: { ...body, [member]: bad } }
        for (const outcome of await sendAndInquire(connector, call, contract.operation)) {
          const told = outcome.kind === 'succeeded' && { ...outcome.echoed }
          const { amount, currency } = contract.operation
          // A caller sees a wrong echo; anything that looks right would be taken for a success.
          assert.notDeepEqual(told, { amount, currency }, `${member}: ${JSON.stringify(bad)}`)
        }
      }
    }
  })
}

function testSilence(contract: ConnectorContract, ends: Ends): void {
  test('a gateway that nobody can connect to was sent nothing, and an inquiry proves nothing', async () => {
    const { gateway } = ends()
    const closed = await startFakeGateway()
    await closed.close()
    const plain = gateway.url.replace('http:', 'https:') // no TLS there: the handshake fails
    for (const url of [closed.url, plain]) {
      const unreachable = contract.connect(url)
      try {
        const outcomes = await sendAndInquire(unreachable, aCall(), contract.operation)
        assert.deepEqual(
          outcomes.map(({ kind }) => kind),
          ['not_sent', 'unknown'],
        )
      } finally {
        await unreachable.close()
      }
    }
  })

  test('a call that is given up is unknown', async () => {
    const { gateway, connector } = ends()
    gateway.reply = 'silence'
    const givenUp = { ...aCall(), signal: AbortSignal.abort() }
    const outcomes = await sendAndInquire(connector, givenUp, contract.operation)
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['unknown', 'unknown'],
    )
  })
}

let calls = 0

function aCall(key = `key-${(calls += 1)}`, patience = PATIENCE_MS): GatewayCall {
  return { key, resend: false, signal: AbortSignal.timeout(patience) }
}

async function sendAndInquire(connector: Connector, call: GatewayCall, operation: Operation) {
  return [await connector.send(call, operation), await connector.inquire(call, operation)] as const
}

function assertOutcome(outcome: GatewayOutcome | InquiryOutcome, expected: Expected<string>): void {
  const { kind, code, cause } =
    typeof expected === 'string' ? { kind: expected, code: undefined, cause: undefined } : expected
  assert.equal(outcome.kind, kind, inspect(outcome))
  if (code !== undefined) assert.equal(outcome.kind === 'declined' && outcome.failure.code, code)
  if (cause !== undefined) assert.equal('cause' in outcome && outcome.cause, cause)
}

interface FakeGateway {
  reply: CannedReply
  readonly url: string
  close(): Promise<void>
}

async function startFakeGateway(): Promise<FakeGateway> {
  const server = createServer((request, response) => say(gateway.reply, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const gateway: FakeGateway = { reply: 'silence', url, close: () => stop(server) }
  return gateway
}

function say(reply: CannedReply, request: IncomingMessage, response: ServerResponse): void {
  request.resume().once('end', () => {
    if (reply === 'silence') return
    if (reply === 'cut_before_answer') {
      request.socket.destroy()
    } else if (reply === 'cut_in_body') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
      response.write('{"status":"succeeded",', () => request.socket.destroy())
    } else {
      const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      response.end(text)
    }
  })
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
