import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { cookieBrowser } from '../support/cookie-browser.ts'
import { type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService

before(async () => {
  service = await startServiceForTests({ worker: false })
})
after(() => service?.close())

test('the sample app, by discovery alone: sign in, agree, read the balance, give it back', async () => {
  const { clients, customers, accounts } = service.credentials
  const { client_id: id, client_secret: secret, redirect_uris: redirects } = clients.app
  const [customer] = customers
  const config = await client.discovery(
    new URL(service.baseUrl),
    id,
    undefined,
    client.ClientSecretBasic(secret),
    { execute: [client.allowInsecureRequests] },
  )
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirects[0] ?? '',
    scope: 'openid accounts:read balance:read transfer:write',
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const browser = cookieBrowser(service.baseUrl)
  const login = await browser.open(url.href)
  assert.match(login.text, /name="password"/)
  const consent = await browser.send({
    username: customer?.username ?? '',
    password: customer?.password ?? '',
  })
  assert.match(consent.text, /Sandbox/)
  assert.ok(consent.text.includes(`value="${accounts.customer_a}"`))
  assert.equal(consent.text.includes(accounts.customer_b), false)
  const landed = await browser.send({ decision: 'allow', account_ids: [accounts.customer_a] })
  const tokens = await client.authorizationCodeGrant(config, landed.url, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  })
  const path = `/api/account/balance?account_id=${accounts.customer_a}`
  const balance = await service.call('GET', path, { token: tokens.access_token })
  assert.deepEqual([balance.status, balance.body['available']], [200, 1_000_000])
  const other = `/api/account/balance?account_id=${accounts.customer_b}`
  assert.equal((await service.call('GET', other, { token: tokens.access_token })).status, 404)

  await client.tokenRevocation(config, tokens.refresh_token ?? '')
  const began = performance.now()
  for (;;) {
    const gone = await service.call('GET', path, { token: tokens.access_token })
    assert.ok([401, 403].includes(gone.status), 'the consent has ended with the grant')
    if (gone.status === 401) break
    assert.ok(performance.now() - began < 1_000, 'the token is refused within a second')
  }
})
