import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { type FaultProxy, startFaultProxy } from '../../../test/support/fault-proxy.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { DatabaseUnavailable, inTransaction } from '../../platform/db/transaction.ts'
import { type Pools, openPools } from '../../platform/db/pools.ts'
import { newId } from '../../platform/ids.ts'
import { createTenant } from './create-tenant.ts'
import { openRevocations } from './revocation-set.ts'
import { revokeTokens } from './revoke-tokens.ts'

const at = new Date()
let database: TestDatabase
let proxy: FaultProxy
let throughProxy: Pools
let tenantId: string

before(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.connection)
  throughProxy = openPools(proxy.connection, () => undefined)
  const tenant = await inTransaction(database.pools.money, (tx) =>
    createTenant(tx, { name: 'Test bank', mode: 'sandbox', at }),
  )
  tenantId = tenant.tenant_id
})
after(async () => {
  await throughProxy?.close()
  await proxy?.close()
  await database?.close()
})

function givenToken() {
  const subject = 'cli_a'
  return { tenantId, clientId: subject, subject, jti: newId(at), issuedAt: at.getTime() }
}

async function revoke(jti: string): Promise<void> {
  await inTransaction(database.pools.money, (tx) =>
    revokeTokens(tx, [{ tenantId, jti, reason: 'test', at }]),
  )
}

test('a set that follows no more grows stale, and is right again when it is asked for', async () => {
  const set = await openRevocations(database.pools.identity, assert.ifError)
  set.stop()
  assert.ok(set.isFresh())
  const token = givenToken()
  await revoke(token.jti)
  await sleep(2_100)
  assert.equal(set.isFresh(), false)
  assert.equal(set.hasEnded(token), false)
  await set.freshen()
  assert.ok(set.isFresh() && set.hasEnded(token))
})

test('a hundred who wait for a stale set are answered by one look', async () => {
  let looks = 0
  const { identity } = database.pools
  const counting = {
    connect: () => {
      looks += 1
      return identity.connect()
    },
  }
  const set = await openRevocations(counting as unknown as typeof identity, assert.ifError)
  set.stop()
  await sleep(2_100)
  looks = 0
  await Promise.all(Array.from({ length: 100 }, () => set.freshen()))
  assert.equal(looks, 1)
})

test('while the database is away nothing is vouched for; when it is back nothing was missed', async (t) => {
  const told: unknown[] = []
  const set = await openRevocations(throughProxy.identity, (error) => told.push(error))
  t.after(() => set.stop())
  const token = givenToken()
  proxy.refuse(true)
  proxy.reset()
  await revoke(token.jti)
  await sleep(2_600)
  assert.equal(set.isFresh(), false)
  await assert.rejects(set.freshen(), DatabaseUnavailable)
  assert.equal(told.length, 1, 'said once, not twice a second')
  proxy.refuse(false)
  await sleep(1_000)
  assert.ok(set.isFresh() && set.hasEnded(token))
})

test('an answer that hangs is not waited for longer than two seconds', async (t) => {
  const set = await openRevocations(throughProxy.identity, () => undefined)
  t.after(() => set.stop())
  proxy.delay(6_000)
  t.after(async () => {
    proxy.delay(0)
    proxy.reset()
    await sleep(500) // the pool has noticed before it is closed
  })
  await sleep(2_100)
  const began = performance.now()
  await assert.rejects(set.freshen(), DatabaseUnavailable)
  const took = performance.now() - began
  assert.ok(took < 5_000, `${took} ms`)
})
