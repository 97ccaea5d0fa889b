import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, beforeEach, test } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import {
  type TestNode,
  type TestService,
  startServiceForTests,
} from '../../../test/support/service.ts'
import { sealingUnder } from '../../platform/crypto/sealing.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'
import { StartError } from '../../platform/start-error.ts'
import { replaceSigningKeys, rotateSigningKeys, turnSigningKeys } from './rotate-signing-keys.ts'

const HOUR_MS = 3_600_000

let service: TestService
let node: TestNode
before(async () => {
  service = await startServiceForTests({ worker: false })
  node = await service.startNode()
})
beforeEach(async () => {
  // Whatever the test before left: one key signs and none waits.
  await write((tx) => replaceSigningKeys(tx, service.sealing, new Date(Date.now() - 5_000)))
  await sleep(1_500)
})
after(async () => {
  await node?.close()
  await service?.close()
})

function write<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result> {
  return inTransaction(service.database.pools.money, act)
}

function turn(at: Date): Promise<void> {
  return write((tx) => turnSigningKeys(tx, service.sealing, at))
}

async function tokenFrom(baseUrl: string): Promise<string> {
  const { client_id: id, client_secret: secret } = service.credentials.clients.backoffice
  const response = await fetch(`${baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  assert.equal(response.status, 200)
  const { access_token: token } = (await response.json()) as { access_token: string }
  return token
}

async function isLetIn(baseUrl: string, token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` }
  const { status } = await fetch(`${baseUrl}/payments?limit=1`, { headers })
  assert.ok(status === 200 || status === 401, String(status))
  return status === 200
}

function kidOf(token: string): string | undefined {
  return decodeProtectedHeader(token).kid
}

async function states(): Promise<string[]> {
  const { rows } = await service.database.pools.read.query<{ state: string }>(
    'select state from identity.signing_keys order by state',
  )
  return rows.map(({ state }) => state)
}

test('under load on two nodes a rotation rejects no token, of the old key or of the new', async (t) => {
  const nodes = [service.baseUrl, node.baseUrl] as const
  const kids = new Set<string | undefined>()
  let asked = 0
  let running = true
  async function customer(n: number): Promise<void> {
    let own = await tokenFrom(nodes[n % 2] as string)
    for (let turnOf = n; running; turnOf += 1) {
      if (turnOf % 5 === 0) own = await tokenFrom(nodes[turnOf % 2] as string)
      kids.add(kidOf(own))
      assert.ok(await isLetIn(nodes[(turnOf + 1) % 2] as string, own), 'a token was rejected')
      asked += 1
    }
  }
  const load = Promise.all([0, 1, 2, 3].map(customer))
  const now = Date.now()
  const next = await write((tx) => rotateSigningKeys(tx, service.sealing, new Date(now)))
  assert.equal(next.signsFrom.getTime(), now + HOUR_MS)
  await sleep(1_500) // an hour: every node has the key before anything is signed by it
  await turn(new Date(now + HOUR_MS))
  await sleep(1_500)
  running = false
  await load
  t.diagnostic(`${asked} requests`)
  assert.deepEqual(await states(), ['active', 'retired'])
  assert.equal(kids.size, 2)
  assert.ok(kids.has(next.kid))
})

test('a key that waits is the next one, however often it is asked for', async () => {
  const at = new Date()
  const [one, other] = await Promise.all([
    write((tx) => rotateSigningKeys(tx, service.sealing, at)),
    write((tx) => rotateSigningKeys(tx, service.sealing, at)),
  ])
  assert.equal(one.kid, other.kid)
  await turn(new Date(at.getTime() + HOUR_MS - 1))
  assert.deepEqual(await states(), ['active', 'pending'])
  const jwks = (await (await fetch(`${node.baseUrl}/oauth/jwks`)).json()) as { keys: unknown[] }
  assert.ok(jwks.keys.length >= 1)
})

test('a retired key is published for a day and then destroyed', async () => {
  const at = Date.now()
  await write((tx) => rotateSigningKeys(tx, service.sealing, new Date(at)))
  await turn(new Date(at + HOUR_MS))
  await turn(new Date(at + 24 * HOUR_MS))
  assert.deepEqual(await states(), ['active', 'retired'])
  await turn(new Date(at + 25 * HOUR_MS))
  assert.deepEqual(await states(), ['active'])
})

test('after 90 days the next key is made by itself', async () => {
  const at = Date.now()
  await turn(new Date(at + 89 * 24 * HOUR_MS))
  assert.deepEqual(await states(), ['active'])
  await turn(new Date(at + 90 * 24 * HOUR_MS))
  assert.deepEqual(await states(), ['active', 'pending'])
})

test('after a leak the old key opens nothing on any node, and new tokens do', async () => {
  const old = await tokenFrom(service.baseUrl)
  assert.ok((await isLetIn(service.baseUrl, old)) && (await isLetIn(node.baseUrl, old)))
  const { kid } = await write((tx) => replaceSigningKeys(tx, service.sealing, new Date()))
  await sleep(1_500)
  assert.equal(await isLetIn(service.baseUrl, old), false)
  assert.equal(await isLetIn(node.baseUrl, old), false)
  const fresh = await tokenFrom(node.baseUrl)
  assert.equal(kidOf(fresh), kid)
  assert.ok((await isLetIn(service.baseUrl, fresh)) && (await isLetIn(node.baseUrl, fresh)))
})

test('whoever holds another root key adds no key that nobody could open', async () => {
  const other = sealingUnder(randomBytes(32))
  for (const act of [rotateSigningKeys, replaceSigningKeys]) {
    await assert.rejects(
      write((tx) => act(tx, other, new Date())),
      StartError,
    )
  }
  assert.deepEqual(await states(), ['active'])
})
