import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { createClient } from '../../src/modules/identity/index.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import { type CookieBrowser, cookieBrowser } from '../support/cookie-browser.ts'
import { type TestService, startServiceForTests } from '../support/service.ts'

/** A customer of the sample data lets the sample app in, over HTTP and nothing else. */
let service: TestService
let app: client.Configuration
before(async () => {
  service = await startServiceForTests({ worker: false })
  const { client_id: id, client_secret: secret } = service.credentials.clients.app
  const authentication = client.ClientSecretBasic(secret)
  app = await client.discovery(new URL(service.baseUrl), id, undefined, authentication, {
    execute: [client.allowInsecureRequests],
  })
})
after(() => service?.close())

interface Connected {
  readonly tokens: client.TokenEndpointResponse
  readonly browser: CookieBrowser
  /** What the consent page said; empty where none was shown. */
  readonly page: string
}

async function connect(
  scope: string,
  accounts: readonly string[],
  browser = cookieBrowser(service.baseUrl),
): Promise<Connected> {
  const [customer] = service.credentials.customers
  assert.ok(customer)
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(app, {
    redirect_uri: service.credentials.clients.app.redirect_uris[0] as string,
    scope,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  let landed = await browser.open(url.href)
  if (landed.text.includes('name="password"')) {
    const { username, password } = customer
    landed = await browser.send({ username, password })
  }
  const page = landed.text
  if (page.includes('value="allow"')) {
    landed = await browser.send({ decision: 'allow', account_ids: accounts })
  }
  const tokens = await client.authorizationCodeGrant(app, landed.url, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  })
  return { tokens, browser, page }
}

const SCOPE = 'openid accounts:read balance:read transfer:write consents:read consents:write'

test('sign in, consent, balance, transfer, refresh, withdraw: then nothing more', async () => {
  const { customer_a: mine, customer_b: theirs } = service.accounts
  const { tokens, page } = await connect(SCOPE, [mine])
  assert.match(page, /At most 1000\.00 EUR in one transfer/)
  const token = tokens.access_token
  const before = await service.call('GET', '/api/account/balance', { token })
  assert.deepEqual([before.status, before.body['account_id']], [200, mine])

  const refreshed = await client.refreshTokenGrant(app, tokens.refresh_token ?? '')
  const body = { from_account_id: mine, to_account_id: theirs, amount: 2_500, currency: 'EUR' }
  const made = await service.call('POST', '/api/transfer', { token: refreshed.access_token, body })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const after = await service.call('GET', '/api/account/balance', { token })
  assert.equal(after.body['booked'], Number(before.body['booked']) - 2_500)
  const others = await service.call('GET', `/api/account/balance?account_id=${theirs}`, { token })
  assert.equal(others.status, 404)

  const listed = await service.call('GET', '/api/consents', { token })
  const [consent] = listed.body['data'] as { id: string; status: string; account_ids: string[] }[]
  assert.deepEqual([consent?.status, consent?.account_ids], ['authorised', [mine]])
  const withdrawn = await fetch(`${service.baseUrl}/api/consents/${consent?.id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(withdrawn.status, 204)
  const refused = await service.call('POST', '/api/transfer', { token, body })
  assert.ok([401, 403].includes(refused.status), `${refused.status}`)
  await assert.rejects(client.refreshTokenGrant(app, refreshed.refresh_token ?? ''), {
    error: 'invalid_grant',
  })
  await new Promise((resolve) => setTimeout(resolve, 1_000)) // the bound on every node
  assert.equal((await service.call('GET', '/api/account/balance', { token })).status, 401)
})

test('an app that comes back under a live consent meets no second consent page', async () => {
  const { customer_a: mine } = service.accounts
  const first = await connect('openid balance:read', [mine])
  const again = await connect('openid balance:read', [], first.browser)
  assert.ok(!again.page.includes('value="allow"'))
  const token = again.tokens.access_token
  assert.equal((await service.call('GET', '/api/account/balance', { token })).status, 200)
})

test('the bank’s own systems see and move what is their customers’', async () => {
  const { customer_a: mine, customer_b: theirs, operating } = service.accounts
  const listed = await service.call('GET', '/api/accounts')
  const ids = (listed.body['data'] as { id: string }[]).map(({ id }) => id)
  for (const id of [mine, theirs, operating]) assert.ok(ids.includes(id))
  const body = { from_account_id: theirs, to_account_id: mine, amount: 100, currency: 'EUR' }
  assert.equal((await service.call('POST', '/api/transfer', { body })).status, 201)
  const strange = await service.call('POST', '/api/transfer', {
    body,
    token: service.tokens.stranger,
  })
  assert.equal(strange.status, 404)
})

test('an app with a token for itself sees no account of anybody', async () => {
  const at = { tenantId: service.tenantId, at: new Date() }
  const itself = await inTransaction(service.database.pools.money, (tx) =>
    createClient(tx, {
      ...at,
      name: 'Headless app',
      kind: 'third_party',
      grantTypes: ['client_credentials'],
      scope: 'accounts:read balance:read transfer:write consents:write',
      authMethod: 'client_secret_basic',
    }),
  )
  const credentials = { client_id: itself.clientId, client_secret: itself.clientSecret ?? '' }
  const token = await service.token(credentials)
  assert.equal((await service.call('GET', '/api/accounts', { token })).status, 403)
  const { customer_a: mine, customer_b: theirs } = service.accounts
  const body = { from_account_id: theirs, to_account_id: mine, amount: 1, currency: 'EUR' }
  assert.equal((await service.call('POST', '/api/transfer', { token, body })).status, 403)
  const terms = { permissions: ['balance:read'] }
  assert.equal((await service.call('POST', '/api/consents', { token, body: terms })).status, 201)
})
