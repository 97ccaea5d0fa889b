import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { cookieBrowser } from '../support/cookie-browser.ts'
import { type TestService, startServiceForTests } from '../support/service.ts'

const REDIRECT = 'https://shop.example/callback'

/** A shop's app of the `fapi2` profile is paid by a customer who approves one payment, and no other. */
let service: TestService
let app: client.Configuration
let dpop: client.DPoPHandle
before(async () => {
  service = await startServiceForTests({ worker: false })
  const identity = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(identity.publicKey)), kid: 'k1', alg: 'ES256' }
  const { status, body } = await service.call('POST', '/clients', {
    body: {
      name: 'Shop',
      kind: 'third_party',
      security_profile: 'fapi2',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
      redirect_uris: [REDIRECT],
      scope: 'transfer:write',
      authorization_details_types: ['payment_initiation'],
    },
  })
  assert.equal(status, 201, JSON.stringify(body))
  app = await client.discovery(
    new URL(service.baseUrl),
    String(body['id']),
    undefined,
    client.PrivateKeyJwt({ key: identity.privateKey, kid: 'k1' }),
    { execute: [client.allowInsecureRequests] },
  )
  dpop = client.getDPoPHandle(app, await client.randomDPoPKeyPair('ES256'))
})
after(() => service?.close())

interface Payment {
  readonly from_account_id: string
  readonly to_account_id: string
  readonly amount: number
  readonly currency: string
  readonly reference?: string
}

/** The customer approves what the app has pushed; answers the token, bound to the app's key. */
async function approved(payment: Payment): Promise<string> {
  const [customer] = service.credentials.customers
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const parameters = {
    redirect_uri: REDIRECT,
    scope: 'transfer:write',
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify([{ type: 'payment_initiation', ...payment }]),
  }
  const url = await client.buildAuthorizationUrlWithPAR(app, parameters, { DPoP: dpop })
  const browser = cookieBrowser(service.baseUrl)
  await browser.open(url.href)
  const page = await browser.send({
    username: customer?.username ?? '',
    password: customer?.password ?? '',
  })
  assert.match(page.text, /<h2>The payment<\/h2>/)
  const landed = await browser.send({ decision: 'allow' })
  const checks = { pkceCodeVerifier: verifier, expectedState: state }
  const tokens = await client.authorizationCodeGrant(app, landed.url, checks, undefined, {
    DPoP: dpop,
  })
  return tokens.access_token
}

async function pay(token: string, payment: Payment) {
  const headers = new Headers({
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  })
  const url = new URL('/api/transfer', service.baseUrl)
  const body = JSON.stringify(payment)
  const response = await client.fetchProtectedResource(app, token, url, 'POST', body, headers, {
    DPoP: dpop,
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

test('the payment that was approved is made, once, and nothing that differs from it', async () => {
  const { customer_a: from, customer_b: to, operating } = service.accounts
  const payment: Payment = {
    from_account_id: from,
    to_account_id: to,
    amount: 4_200,
    currency: 'EUR',
    reference: 'Order 17',
  }
  const token = await approved(payment)
  for (const other of [
    { ...payment, amount: 4_201 },
    { ...payment, to_account_id: operating },
    { ...payment, reference: 'Order 18' },
    { from_account_id: from, to_account_id: to, amount: 4_200, currency: 'EUR' },
  ]) {
    const { status, body } = await pay(token, other)
    assert.deepEqual([status, body['code']], [403, 'consent_required'], JSON.stringify(other))
  }
  const made = await pay(token, payment)
  assert.deepEqual([made.status, made.body['status']], [201, 'booked'], JSON.stringify(made.body))
  const again = await pay(token, payment)
  assert.ok([401, 403].includes(again.status), 'the consent is used up')
  const balance = await service.call('GET', `/api/account/balance?account_id=${from}`)
  assert.equal(balance.body['available'], 1_000_000 - 4_200)
})

test('the token is worth nothing without the key that it is bound to', async () => {
  const { customer_a: from, customer_b: to } = service.accounts
  const payment = { from_account_id: from, to_account_id: to, amount: 100, currency: 'EUR' }
  const token = await approved(payment)
  const bare = await service.call('POST', '/api/transfer', { token, body: payment })
  assert.equal(bare.status, 401)
  assert.match(String(bare.headers.get('www-authenticate')), /^DPoP /)
})
