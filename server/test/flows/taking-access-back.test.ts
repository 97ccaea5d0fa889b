import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { knownId } from '../../src/platform/ids.ts'
import { cookieBrowser } from '../support/cookie-browser.ts'
import { type App, type CustomerApps, customerApps } from '../support/customer-apps.ts'
import { type TestNode, type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService
let other: TestNode
let apps: CustomerApps

before(async () => {
  service = await startServiceForTests({ worker: false })
  other = await service.startNode()
  apps = customerApps(service)
})
after(async () => {
  await other?.close()
  await service?.close()
})

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
  const [app, who] = [await apps.givenApp(), await apps.customer(0)]
  const page = await apps.openPage(app, who)
  const home = /<a href="(\/account\/ten_\w+)"/.exec(page.text)?.[1] ?? ''
  assert.equal(home, `/account/${service.credentials.tenant_id}`)
  const { access_token: token, refresh_token: refresh } = await page.allow()

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
  const [app, who] = [await apps.givenApp(), await apps.customer(1)]
  const { access_token: token, refresh_token: refresh } = await apps.connected(app, who)
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
  const [app, who] = [await apps.givenApp(), await apps.customer(0)]
  const { access_token: token, refresh_token: refresh } = await apps.connected(app, who)
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
