import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Pool } from 'undici'
import { givenGateway } from '../../test/support/gateway-client.ts'

const OPERATIONS = 6000
const CONNECTIONS = 64

test('a busy gateway pays one fsync for many operations', async (t) => {
  const { port, client } = await givenGateway(t)
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS })
  t.after(() => pool.close())
  let sent = 0
  async function sell(): Promise<void> {
    while (sent < OPERATIONS) {
      sent += 1
      const body = { key: `key-${sent}`, operation: 'sale', amount: 100, currency: 'EUR' }
      const reply = await pool.request({
        method: 'POST',
        path: '/operations',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, instrument: { token: 'tok_visa' } }),
      })
      assert.equal(reply.statusCode, 200)
      await reply.body.dump()
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: CONNECTIONS }, sell))
  const seconds = (performance.now() - began) / 1000
  const health = (await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()) as {
    entries: number
    syncs: number
  }
  t.diagnostic(`${Math.round(OPERATIONS / seconds)} operations/s, ${health.syncs} fsyncs`)
  assert.equal(health.entries, OPERATIONS)
  assert.ok(health.syncs < OPERATIONS / 4, `${health.syncs} fsyncs`)
  assert.equal(new Set(await client.moved()).size, OPERATIONS)
})
