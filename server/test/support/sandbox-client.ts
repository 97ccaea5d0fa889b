import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Credentials } from '../../src/app/credentials.ts'

/** What a newcomer has after `npm start`: the credentials file, and HTTP. */
export function credentialsIn(dataDir: string): Credentials {
  return JSON.parse(readFileSync(join(dataDir, 'credentials.json'), 'utf8')) as Credentials
}

/** An access token of the backoffice client. */
export async function tokenFrom(dataDir: string): Promise<string> {
  const { base_url: origin, clients } = credentialsIn(dataDir)
  const { client_id: id, client_secret: secret } = clients.backoffice
  const response = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  assert.equal(response.status, 200)
  return ((await response.json()) as { access_token: string }).access_token
}

/** Asks for a card payment and waits for its end, for 20 s at most. */
export async function postPayment(dataDir: string, token: string): Promise<Response> {
  return await fetch(`${credentialsIn(dataDir).base_url}/payments`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'idempotency-key': randomBytes(8).toString('hex'),
      'content-type': 'application/json',
      prefer: 'wait=20',
    },
    body: JSON.stringify({
      amount: 4_200,
      currency: 'EUR',
      payment_method: { type: 'card', card: { token: 'tok_visa' } },
    }),
  })
}

/** A card payment, completed; answers its id. */
export async function pay(dataDir: string): Promise<string> {
  const response = await postPayment(dataDir, await tokenFrom(dataDir))
  const payment = (await response.json()) as { id: string; status: string }
  assert.equal(payment.status, 'completed', JSON.stringify(payment))
  return payment.id
}

/** How a payment ends, looked at until it has, for a minute at most. */
export async function paymentStatus(origin: string, token: string, id: string): Promise<string> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const headers = { authorization: `Bearer ${token}`, prefer: 'wait=20' }
    const response = await fetch(`${origin}/payments/${id}`, { headers })
    const { status } = (await response.json()) as { status: string }
    if (!UNDECIDED.has(status) || performance.now() > deadline) return status
    await sleep(100) // one client may hold 20 waits; beyond that the answer comes at once
  }
}

const UNDECIDED = new Set(['pending', 'processing'])
