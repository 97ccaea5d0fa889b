import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { knownId } from '../../src/platform/ids.ts'
import { cookieBrowser } from '../support/cookie-browser.ts'
import { type TestNode, type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService
let other: TestNode

before(async () => {
  service = await startServiceForTests({ worker: false })
  other = await service.startNode()
})
after(async () => {
  await other?.close()
  await service?.close()
})

const REDIRECT = 'http://127.0.0.1:9/callback'
const SCOPE = 'openid accounts:read balance:read transfer:write'

interface App {
  readonly id: string
  readonly config: client.Configuration
}

async function givenApp(changes: object = {}): Promise<App> {
  const { status, body } = await service.call('POST', '/clients', {
    body: {
      name: 'Budget <i>Planner</i>',
      kind: 'third_party',
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      scope: `${SCOPE} consents:read consents:write`,
      redirect_uris: [REDIRECT],
      authorization_details_types: ['account_information'],
      ...changes,
    },
  })
  assert.equal(status, 201, JSON.stringify(body))
  const config = await client.discovery(
    new URL(service.baseUrl),
    String(body['id']),
    undefined,
    client.ClientSecretBasic(String(body['client_secret'])),
    { execute: [client.allowInsecureRequests] },
  )
  return { id: String(body['id']), config }
}

interface Customer {
  readonly id: string
  readonly username: string
  readonly password: string
  readonly account: string
}

/** One of the two customers of the sample data. */
async function customer(at: 0 | 1): Promise<Customer> {
  const { username = '', password = '', account_ids = [] } = service.credentials.customers[at] ?? {}
  const { body } = await service.call('GET', '/customers')
  const rows = body['data'] as { id: string; username: string }[]
  const id = rows.find((row) => row.username === username)?.id ?? ''
  return { id, username, password, account: account_ids[0] ?? '' }
}

async function openPage(app: App, who: Customer, more: Record<string, string> = {}) {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(app.config, {
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  const browser = cookieBrowser(service.baseUrl)
  await browser.open(url.href)
  const page = await browser.send({ username: who.username, password: who.password })
  const allow = async () => {
    const landed = await browser.send({ decision: 'allow', account_ids: [who.account] })
    return await client.authorizationCodeGrant(app.config, landed.url, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    })
  }
  return { page, allow }
}

async function connected(app: App, who: Customer) {
  const { allow } = await openPage(app, who)
  return await allow()
}

/** Milliseconds until a node answers 401 to the token; until then no more than "no consent". */
async function refusedAfter(baseUrl: string, token: string, account: string): Promise<number> {
  const began = performance.now()
  for (;;) {
    const response = await fetch(`${baseUrl}/api/account/balance?account_id=${account}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    await response.body?.cancel()
    const ms = performance.now() - began
    if (response.status === 401) return ms
    assert.equal(response.status, 403, 'the consent has ended on every node at once')
    assert.ok(ms < 1_000, 'the token is refused within a second')
  }
}

async function assertRefreshEnded(app: App, refreshToken: string | undefined): Promise<void> {
  await assert.rejects(
    client.refreshTokenGrant(app.config, refreshToken ?? ''),
    (error: client.ResponseBodyError) => error.error === 'invalid_grant',
  )
}

test('the consent page says where to take access back; there it ends on every node', async () => {
  const [app, who] = [await givenApp(), await customer(0)]
  const { page, allow } = await openPage(app, who)
  const home = /<a href="(\/account\/ten_\w+)"/.exec(page.text)?.[1] ?? ''
  assert.equal(home, `/account/${service.credentials.tenant_id}`)
  const { access_token: token, refresh_token: refresh } = await allow()

  const browser = cookieBrowser(service.baseUrl)
  await browser.open(service.baseUrl + home)
  const list = await browser.send({ username: who.username, password: who.password })
  assert.match(list.text, /Budget &lt;i&gt;Planner&lt;\/i&gt;/)
  assert.match(list.text, /Current account ··\w{4}, EUR/)
  assert.match(list.text, /See how much is in these accounts\./)
  assert.match(list.text, /At most 1000\.00 EUR in one transfer\./)
  assert.match(list.text, /<dt>Last transfer<\/dt><dd>None yet<\/dd>/)
  const [, consent = ''] = /name="consent_id" value="(con_\w+)"/.exec(list.text) ?? []

  const path = `/api/account/balance?account_id=${who.account}`
  assert.equal((await service.call('GET', path, { token })).status, 200)
  const elsewhere = await fetch(other.baseUrl + path, {
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(elsewhere.status, 200, 'both nodes know the token')
  const after = await browser.send({ consent_id: consent })
  assert.match(after.text, /The app has no access any more/)
  await Promise.all([
    refusedAfter(service.baseUrl, token, who.account),
    refusedAfter(other.baseUrl, token, who.account),
  ])
  await assertRefreshEnded(app, refresh)
  const { body } = await service.call('GET', `/api/consents/${consent}`)
  assert.deepEqual([body['status'], body['revoked_by']], ['revoked', who.id])
  const { rows } = await service.database.pools.read.query<{ actor: string; via_client: unknown }>(
    `select actor_id as actor, via_client from audit.events
     where action = 'consent.revoke' and resource_id = $1`,
    [knownId(consent)],
  )
  assert.deepEqual(rows, [{ actor: who.id, via_client: null }])
})

test('a customer who is kept out takes along all that he allowed, and it does not come back', async () => {
  const [app, who] = [await givenApp(), await customer(1)]
  const { access_token: token, refresh_token: refresh } = await connected(app, who)
  const browser = cookieBrowser(service.baseUrl)
  await browser.open(`${service.baseUrl}/account/${service.credentials.tenant_id}`)
  await browser.send({ username: who.username, password: who.password })

  assert.equal((await service.call('POST', `/customers/${who.id}/disable`)).status, 200)
  await refusedAfter(other.baseUrl, token, who.account)
  assert.equal((await service.call('POST', `/customers/${who.id}/enable`)).status, 200)
  await assertRefreshEnded(app, refresh)
  await refusedAfter(other.baseUrl, token, who.account)
  const gone = await browser.open(
    `${service.baseUrl}/account/${service.credentials.tenant_id}/consents`,
  )
  assert.match(gone.text, /name="password"/, 'the session has ended too')
  const { body } = await service.call('GET', '/api/consents')
  const own = (body['data'] as { user_id: string; status: string; client_id: string }[]).filter(
    ({ client_id: id }) => id === app.id,
  )
  assert.deepEqual(
    own.map(({ status }) => status),
    ['revoked'],
  )
})

test('a client that is disabled loses what customers let it do, and what it had asked for', async () => {
  const [app, who] = [await givenApp(), await customer(0)]
  const { access_token: token, refresh_token: refresh } = await connected(app, who)
  const change = (status: string) =>
    service.call('PATCH', `/clients/${app.id}`, { body: { status } })
  assert.equal((await change('disabled')).status, 200)
  await refusedAfter(other.baseUrl, token, who.account)
  assert.equal((await change('active')).status, 200)
  await assertRefreshEnded(app, refresh)
  const { body } = await service.call('GET', '/api/consents')
  const own = (body['data'] as { status: string; client_id: string }[]).filter(
    ({ client_id: id }) => id === app.id,
  )
  assert.deepEqual(
    own.map(({ status }) => status),
    ['revoked'],
  )
})
