import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientOf } from '../support/gateway-client.ts'
import { givenDataDirectory } from '../support/data-directory.ts'
import { freePort } from '../support/free-port.ts'
import { launch } from '../support/launch.ts'
import { credentialsIn, paymentStatus, tokenFrom } from '../support/sandbox-client.ts'

const READY = 'ready in'
const AMOUNTS = [4_711, 4_712, 4_713]

test('kill -9 after the charge and before its commit: one charge, and the payment completes', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const port = await freePort()
  const start = () => launch(t, ['start', '--data', dataDir, '--port', `${port}`])
  const first = start()
  await first.sees(READY)

  // The gateway takes the money and says nothing: the server is between its call and its commit.
  const gateway = clientOf(port + 10)
  await gateway.set({ swallow: 'hang' })
  for (const amount of AMOUNTS) await gateway.fault({ match: { amount }, fault: 'drop_reply' })
  const token = await tokenFrom(dataDir)
  const origin = credentialsIn(dataDir).base_url
  const ids: string[] = []
  for (const amount of AMOUNTS) {
    const response = await fetch(`${origin}/payments`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'idempotency-key': `kill-${amount}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        amount,
        currency: 'EUR',
        payment_method: { type: 'card', card: { token: 'tok_visa' } },
      }),
    })
    assert.equal(response.status, 201)
    ids.push(((await response.json()) as { id: string }).id)
  }
  while ((await gateway.moved()).length < AMOUNTS.length) await sleep(20)
  first.child.kill('SIGKILL')
  await first.exited

  const second = start()
  await second.sees(READY)
  const again = await tokenFrom(dataDir)
  for (const id of ids) assert.equal(await paymentStatus(origin, again, id), 'completed')
  const moved = await clientOf(port + 10).moved()
  assert.equal(moved.length, AMOUNTS.length, 'the gateway has charged each payment once')
  assert.equal(new Set(moved).size, AMOUNTS.length)
  second.child.kill('SIGTERM')
  assert.equal(await second.exited, 0)
})
