import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
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

test('a person who walks it by hand lands on a page with the line that ends the walk', async () => {
  const { clients, customers, accounts } = service.credentials
  const [customer] = customers
  const { client_id: id, client_secret: secret, redirect_uris: redirects } = clients.app
  const [redirectUri = ''] = redirects
  const verifier = client.randomPKCECodeVerifier()
  const query = new URLSearchParams({
    client_id: id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid balance:read',
    state: 'by hand <b>',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const browser = cookieBrowser(service.baseUrl)
  await browser.open(`${service.baseUrl}/oauth/authorize?${query.toString()}`)
  await browser.send({ username: customer?.username ?? '', password: customer?.password ?? '' })
  const landed = await browser.send({ decision: 'allow', account_ids: [accounts.customer_a] })
  assert.equal(landed.url.origin + landed.url.pathname, redirectUri)
  assert.match(landed.text, /by hand &lt;b&gt;/)
  const command = /<pre>([^<]+)<\/pre>/.exec(landed.text)?.[1]?.replaceAll('&quot;', '"') ?? ''
  const env = { ...process.env, APP_ID: id, APP_SECRET: secret, VERIFIER: verifier }
  const { stdout } = await promisify(execFile)('bash', ['-c', command], { env })
  const tokens = JSON.parse(stdout) as { access_token: string }
  const path = `/api/account/balance?account_id=${accounts.customer_a}`
  assert.equal((await service.call('GET', path, { token: tokens.access_token })).status, 200)
})

test('what somebody else puts into that address is shown, and never in the line to paste', async () => {
  const open = async (query: string) => {
    const response = await fetch(`${service.baseUrl}/sandbox/callback?${query}`)
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const code = encodeURIComponent('x$(touch /tmp/x)`<script>')
  const made = await open(`code=${code}&state=%3Cimg%3E`)
  assert.equal(made.status, 200)
  assert.doesNotMatch(made.text, /<pre>|<script>|<img>/)
  assert.match(made.text, /x\$\(touch \/tmp\/x\)`&lt;script&gt;/)
  assert.match(made.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
  const denied = await open('error=access_denied&error_description=not%20today&state=s')
  assert.match(denied.text, /role="alert".*access_denied: not today/s)
  await service.database.pools.money.query(`update identity.tenants set name = 'Bank'`)
  assert.equal((await open('code=abc')).status, 404, 'without the sample data there is no page')
})
