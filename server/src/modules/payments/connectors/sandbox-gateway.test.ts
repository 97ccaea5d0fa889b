import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { sandboxAmounts, sandboxCards, type SandboxEffect } from '../sandbox-values.ts'
import type { Connector, GatewayOutcome, InquiryOutcome, Operation } from './connector.ts'
import { sandboxConnector } from './sandbox.ts'

// The connector and the real gateway, in a process of its own: do the two programs mean the same?

const main = join(import.meta.dirname, '../../../sandbox-gateway/main.ts')
let connector: Connector
let stopGateway: (() => Promise<void>) | undefined

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countinghouse-gateway-'))
  const args = [main, '--port', '0', '--data', folder, '--latency', '0']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  stopGateway = async () => {
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  const [line] = await once(createInterface(child.stdout), 'line')
  const port = /:(\d+),/.exec(String(line))?.[1]
  connector = sandboxConnector({ baseUrl: `http://127.0.0.1:${port}` })
})
after(async () => {
  await connector?.close()
  await stopGateway?.()
})

let keys = 0

function aKey(): string {
  keys += 1
  return `key-${keys}`
}

function send(key: string, operation: Operation, resend = false): Promise<GatewayOutcome> {
  return connector.send({ key, resend, signal: AbortSignal.timeout(10_000) }, operation)
}

function inquire(key: string, operation: Operation): Promise<InquiryOutcome> {
  return connector.inquire({ key, resend: true, signal: AbortSignal.timeout(10_000) }, operation)
}

function sale(token: string, amount = 100n): Operation & { operation: 'sale' | 'authorize' } {
  return { operation: 'sale', amount, currency: 'EUR', instrument: { token } }
}

function told(outcome: GatewayOutcome | InquiryOutcome): string {
  return outcome.kind === 'declined' ? outcome.failure.code : outcome.kind
}

/** What a first send, an inquiry after it and a second send are told. */
const outcomes: Record<SandboxEffect['kind'], readonly string[]> = {
  completes: ['succeeded', 'succeeded', 'succeeded'],
  declines: [],
  unknown_done: ['unknown', 'succeeded', 'succeeded'],
  unknown_lost: ['unknown', 'not_found', 'succeeded'],
  unknown_forever: ['unknown', 'unknown', 'unknown'],
  unavailable: ['not_sent', 'not_found', 'not_sent'],
  refund_pending: ['succeeded', 'succeeded', 'succeeded'],
  refund_fails: ['succeeded', 'succeeded', 'succeeded'],
}

const rows = [
  ...sandboxCards.map(({ token, effect }) => ({ name: token, asked: sale(token), effect })),
  ...sandboxAmounts.map(({ amount, effect }) => {
    return { name: `amount ${amount}`, asked: sale('tok_visa', BigInt(amount)), effect }
  }),
]
for (const { name, asked, effect } of rows) {
  test(`${name} reaches the payments module as ${effect.kind}`, async () => {
    const key = aKey()
    const heard = [await send(key, asked), await inquire(key, asked), await send(key, asked, true)]
    const expected =
      effect.kind === 'declines' ? heard.map(() => effect.code) : outcomes[effect.kind]
    assert.deepEqual(heard.map(told), expected)
    for (const outcome of heard) {
      if (outcome.kind !== 'succeeded') continue
      assert.deepEqual(outcome.echoed, { amount: asked.amount, currency: 'EUR' })
    }
  })
}

test('an unavailable gateway takes the third send under the same key', async () => {
  const key = aKey()
  const asked = sale('tok_unavailable')
  const heard = [await send(key, asked), await send(key, asked, true), await send(key, asked, true)]
  assert.deepEqual(heard.map(told), ['not_sent', 'not_sent', 'succeeded'])
})

test('authorize, capture in parts, refund, void: every operation is understood', async () => {
  const money = { amount: 100n, currency: 'EUR' }
  const parent = aKey()
  const steps: Operation[] = [
    { operation: 'capture', amount: 60n, currency: 'EUR', parent, final: false },
    { operation: 'capture', amount: 40n, currency: 'EUR', parent, final: true },
    { operation: 'refund', ...money, parent },
  ]
  const heard = [await send(parent, { ...sale('tok_visa'), operation: 'authorize' })]
  for (const step of steps) heard.push(await send(aKey(), step))
  const held = aKey()
  heard.push(await send(held, { ...sale('tok_visa'), operation: 'authorize' }))
  heard.push(await send(aKey(), { operation: 'void', ...money, parent: held }))
  assert.ok(heard.every(({ kind }) => kind === 'succeeded'))
  const tooMuch = await send(aKey(), { operation: 'refund', ...money, parent })
  assert.equal(told(tooMuch), 'gateway_refused')
})

test('a refund that bounces later is a success first and declined then', async () => {
  const parent = aKey()
  const key = aKey()
  await send(parent, sale('tok_refund_fails'))
  const refund: Operation = { operation: 'refund', amount: 100n, currency: 'EUR', parent }
  assert.equal(told(await send(key, refund)), 'succeeded')
  const end = performance.now() + 10_000
  let last = ''
  while (last !== 'account_closed' && performance.now() < end) {
    last = told(await inquire(key, refund))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.equal(last, 'account_closed')
})
