import assert from 'node:assert/strict'
import { type IncomingMessage, get as httpGet } from 'node:http'
import { after, before, test } from 'node:test'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { cookieBrowser } from '../support/cookie-browser.ts'
import {
  type App,
  type Person,
  type SignInWorld,
  REDIRECT,
  alter,
  connect,
  expire,
  openSignInWorld,
  request,
  walk,
} from '../support/sign-in-world.ts'

const SCOPE = 'openid accounts:read balance:read'
let world: SignInWorld
let app: App
let person: Person

before(async () => {
  world = await openSignInWorld()
  app = await world.givenApp()
  person = await world.givenPerson()
})
after(async () => {
  assert.deepEqual(world?.errors, [])
  await world?.close()
})

/** Where an authorization request with these changes ends; undefined takes a parameter away. */
async function endOf(changes: Record<string, string | undefined>, more = '') {
  const url = new URL((await request(app, SCOPE)).url)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  return await cookieBrowser(world.issuer).open(url.href + more)
}

function errorOf(url: URL): string | null {
  return url.searchParams.get('error') ?? new URLSearchParams(url.hash.slice(1)).get('error')
}

const refusedAtTheApp: readonly [string, Record<string, string | undefined>, string][] = [
  [
    'a request without PKCE',
    { code_challenge: undefined, code_challenge_method: undefined },
    'invalid_request',
  ],
  ['PKCE by plain', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['a token in the front channel', { response_type: 'token' }, 'unsupported_response_type'],
  [
    'an ID token in the front channel',
    { response_type: 'id_token', nonce: 'n' },
    'unsupported_response_type',
  ],
  ['a scope that the app does not hold', { scope: 'openid consents:write' }, 'invalid_scope'],
  ['a scope that no customer can grant', { scope: 'openid payments:write' }, 'invalid_scope'],
  ['another audience', { resource: 'https://other.example' }, 'invalid_target'],
  ['prompt=none without a session', { prompt: 'none' }, 'login_required'],
  [
    'details of a type that is not registered',
    { authorization_details: '[{"type":"payment_initiation"}]' },
    'invalid_authorization_details',
  ],
]
for (const [what, changes, error] of refusedAtTheApp) {
  test(`${what} is refused, and the app hears of it`, async () => {
    const { url } = await endOf(changes)
    assert.equal(url.origin + url.pathname, REDIRECT)
    assert.equal(errorOf(url), error)
    assert.equal(url.searchParams.get('code'), null)
  })
}

for (const redirect of [
  `${REDIRECT}2`,
  `${REDIRECT}/x`,
  `${REDIRECT}?x=1`,
  'https://evil.example/',
]) {
  test(`nobody is sent to an address that is not registered: ${redirect}`, async () => {
    const landed = await endOf({ redirect_uri: redirect })
    assert.equal(landed.url.origin, world.issuer)
    assert.equal(landed.status, 400)
    assert.match(landed.text, /not registered/)
  })
}

test('a parameter sent twice is refused', async () => {
  const { url } = await endOf({}, '&scope=openid')
  assert.equal(errorOf(url), 'invalid_request')
})

test('an unknown app gets a page and no redirect, a program the OAuth object', async () => {
  const landed = await endOf({ client_id: 'cli_nobody' })
  assert.equal(landed.status, 400)
  assert.match(landed.text, /do not know the app/)
  const raw = await fetch(`${world.issuer}/oauth/authorize?client_id=x`, { redirect: 'manual' })
  assert.equal(((await raw.json()) as { error: string }).error, 'invalid_client')
})

test('pages let no other origin in', async () => {
  const asked = await request(app, SCOPE)
  const first = await fetch(asked.url, { redirect: 'manual', headers: { origin: REDIRECT } })
  assert.equal(first.headers.get('access-control-allow-origin'), null)
})

test('the login page says by its headers what it may do, and its cookies are out of reach', async () => {
  const browser = cookieBrowser(world.issuer)
  const { headers, text } = await browser.open((await request(app, SCOPE)).url)
  assert.equal(
    headers.get('content-security-policy'),
    `default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; script-src; form-action 'self' ${new URL(REDIRECT).origin}`,
  )
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('access-control-allow-origin'), null)
  assert.doesNotMatch(text, /<script| style=| on[a-z]+=/)
  const style = /href="([^"]+\.css)"/.exec(text)?.[1] ?? ''
  const sheet = await fetch(world.issuer + style)
  assert.equal(sheet.headers.get('content-type'), 'text/css; charset=utf-8')
  assert.match(sheet.headers.get('cache-control') ?? '', /immutable/)
  for (const { header } of browser.cookies.values()) {
    assert.match(header, /httponly/i)
    assert.match(header, /samesite=lax/i)
  }
})

test('a form of another site, or of a browser that did not ask, is refused', async () => {
  const login = { username: person.username, password: person.password }
  const strange: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'null' },
    { origin: world.issuer, 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of strange) {
    const browser = cookieBrowser(world.issuer)
    await browser.open((await request(app, SCOPE)).url)
    const landed = await browser.send(login, headers)
    assert.equal(landed.status, 400)
  }
  const browser = cookieBrowser(world.issuer)
  const { url } = await browser.open((await request(app, SCOPE)).url)
  const stranger = await cookieBrowser(world.issuer).open(url.href)
  assert.deepEqual([stranger.status, /expired/.test(stranger.text)], [400, true])
  const ours = await browser.send(login, { origin: 'null', 'sec-fetch-site': 'same-origin' })
  assert.match(ours.text, /value="allow"/)
})

test('a customer who signs in a second time under a live consent sees no page at all', async () => {
  const [it, somebody] = [await world.givenApp(), await world.givenPerson()]
  const { browser } = await connect(world, it, somebody, SCOPE)
  const again = await request(it, 'openid balance:read')
  const landed = await browser.open(again.url)
  assert.ok(landed.url.searchParams.has('code'))
  const more = await browser.open((await request(it, 'openid transactions:read')).url)
  assert.match(more.text, /use transactions:read/)
})

test('a customer who does not agree, or does not sign in, leaves the app with nothing', async () => {
  const browser = cookieBrowser(world.issuer)
  await browser.open((await request(app, 'openid accounts:read')).url)
  await browser.send({ username: person.username, password: person.password })
  const denied = await browser.send({ decision: 'deny' })
  assert.equal(errorOf(denied.url), 'access_denied')
  assert.equal(world.consents.rejected.at(-1)?.user.userId, person.accountId)
  const other = cookieBrowser(world.issuer)
  await other.open((await request(app, SCOPE)).url)
  assert.equal(errorOf((await other.send({ decision: 'cancel' })).url), 'access_denied')
})

test('an account that the page did not offer is not taken, nor none at all', async () => {
  const somebody = await world.givenPerson()
  const browser = cookieBrowser(world.issuer)
  await browser.open((await request(app, SCOPE)).url)
  await browser.send({ username: somebody.username, password: somebody.password })
  const before = world.consents.granted.length
  const [first = ''] = world.consents.accounts
  const foreign = await browser.send({ decision: 'allow', account_ids: [first, 'acc_foreign'] })
  assert.match(foreign.text, /Please choose again/)
  const none = await browser.send({ decision: 'allow' })
  assert.match(none.text, /Choose at least one account/)
  assert.equal(world.consents.granted.length, before)
  const landed = await browser.send({ decision: 'allow', account_ids: first })
  assert.ok(landed.url.searchParams.has('code'))
})

test('a decision sent twice at once is taken once', async () => {
  const [it, somebody] = [await world.givenApp(), await world.givenPerson()]
  const browser = cookieBrowser(world.issuer)
  await browser.open((await request(it, SCOPE)).url)
  const page = await browser.send({ username: somebody.username, password: somebody.password })
  const body = new URLSearchParams({
    decision: 'allow',
    account_ids: world.consents.accounts[0] ?? '',
  })
  const before = world.consents.granted.length
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => browser.request(page.url.href, { method: 'POST', body })),
  )
  assert.equal(world.consents.granted.length, before + 1)
  const targets = new Set(answers.map(({ headers }) => headers.get('location')))
  assert.equal(targets.size, 1)
})

test('a code is for its app, its redirect and its verifier', async () => {
  const asked = await request(app, SCOPE)
  const somebody = await world.givenPerson()
  const accounts = world.consents.accounts.slice(0, 1)
  const { url } = await walk(cookieBrowser(world.issuer), asked, somebody, accounts)
  const code = url.searchParams.get('code') ?? ''
  const right = { code, redirect_uri: REDIRECT, code_verifier: asked.verifier }
  const { code_verifier: _none, ...bare } = right
  const other = await world.givenApp()
  for (const [by, fields] of [
    [other, right],
    [app, { ...right, redirect_uri: `${REDIRECT}2` }],
    [app, { ...right, code_verifier: client.randomPKCECodeVerifier() }],
    [app, bare],
  ] as const) {
    assert.equal(
      (await take(by, { grant_type: 'authorization_code', ...fields })).error,
      'invalid_grant',
    )
  }
  const tokens = await take(app, { grant_type: 'authorization_code', ...right })
  assert.ok(tokens.refresh_token)
  const again = await take(app, { grant_type: 'authorization_code', ...right })
  assert.equal(again.error, 'invalid_grant')
  const refreshed = await take(app, {
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token ?? '',
  })
  assert.equal(refreshed.error, 'invalid_grant', 'a code used twice takes its tokens with it')
})

test('a code, a refresh token and a grant end with their time', async () => {
  const asked = await request(app, SCOPE)
  const somebody = await world.givenPerson()
  const accounts = world.consents.accounts.slice(0, 1)
  const { url } = await walk(cookieBrowser(world.issuer), asked, somebody, accounts)
  const code = url.searchParams.get('code') ?? ''
  await expire(world, 'AuthorizationCode', code)
  const fields = { code, redirect_uri: REDIRECT, code_verifier: asked.verifier }
  const late = await take(app, { grant_type: 'authorization_code', ...fields })
  assert.deepEqual(
    [late.error, late.error_description],
    ['invalid_grant', 'grant request is invalid'],
  )
  const first = await connect(world, app, await world.givenPerson(), SCOPE)
  const token = first.tokens.refresh_token ?? ''
  await expire(world, 'RefreshToken', token)
  const refresh = { grant_type: 'refresh_token' }
  assert.equal((await take(app, { ...refresh, refresh_token: token })).error, 'invalid_grant')
  const second = await connect(world, app, await world.givenPerson(), SCOPE)
  await expire(world, 'Grant', String(decodeJwt(second.tokens.access_token)['gid']))
  const under = { ...refresh, refresh_token: second.tokens.refresh_token ?? '' }
  assert.equal((await take(app, under)).error, 'invalid_grant')
})

test('a page left open too long says so', async () => {
  const browser = cookieBrowser(world.issuer)
  const { url } = await browser.open((await request(app, SCOPE)).url)
  await expire(world, 'Interaction', url.pathname.split('/').at(-1) ?? '')
  const landed = await browser.send({ username: person.username, password: person.password })
  assert.deepEqual([landed.status, /expired/.test(landed.text)], [400, true])
})

test('a session that has stood idle, or has lasted half a day, is asked to sign in', async () => {
  const { browser } = await connect(world, app, person, SCOPE)
  const session = () => browser.cookies.get('ch_session')?.value ?? ''
  const next = async () => (await browser.open((await request(app, SCOPE)).url)).text
  assert.doesNotMatch(await next(), /name="password"/)
  await alter(world, 'Session', session(), { loginTs: Date.now() / 1_000 - 12 * 3_600 - 5 })
  assert.match(await next(), /name="password"/)
  await browser.send({ username: person.username, password: person.password })
  assert.doesNotMatch(await next(), /name="password"/)
  await expire(world, 'Session', session())
  assert.match(await next(), /name="password"/)
})

test('a refresh token is for its app, and for a customer who is let in', async () => {
  const somebody = await world.givenPerson()
  const { tokens } = await connect(world, app, somebody, SCOPE)
  const fields = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  assert.equal((await take(await world.givenApp(), fields)).error, 'invalid_grant')
  await world.database.pools.identity.query(
    `update identity.users set status = 'disabled' where tenant_id = $1 and user_id = $2`,
    [world.tenantId, somebody.userId],
  )
  assert.equal((await take(app, fields)).error, 'invalid_grant')
})

test('a new password ends the sessions and the refresh tokens of whoever knew the old one', async () => {
  const [it, somebody] = [await world.givenApp(), await world.givenPerson()]
  const { tokens, browser } = await connect(world, it, somebody, SCOPE)
  const waiting = await browser.open((await request(it, SCOPE)).url)
  assert.ok(waiting.url.searchParams.get('code'), 'a session signs in by itself')
  await world.database.pools.identity.query(
    `update identity.credentials set changed_at = now() + interval '1 second'
      where tenant_id = $1 and user_id = $2 and kind = 'password'`,
    [world.tenantId, somebody.userId],
  )
  const fields = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  assert.equal((await take(it, fields)).error, 'invalid_grant')
  const again = await browser.open((await request(it, SCOPE)).url)
  assert.match(again.text, /name="password"/)
})

test('a refresh asks for less than was granted, never for more', async () => {
  const { tokens } = await connect(world, app, await world.givenPerson(), SCOPE)
  const less = {
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token ?? '',
    scope: 'balance:read',
  }
  const narrowed = await take(app, less)
  assert.equal(narrowed.scope, 'balance:read')
  const more = { ...less, refresh_token: narrowed.refresh_token ?? '', scope: 'transfer:write' }
  assert.equal((await take(app, more)).error, 'invalid_scope')
})

test('an app that gives its refresh token back ends the grant and the consent', async () => {
  const { tokens } = await connect(world, app, await world.givenPerson(), SCOPE)
  const grantId = decodeJwt(tokens.access_token)['gid']
  await client.tokenRevocation(app.config, tokens.refresh_token ?? '')
  const ended = world.consents.ended.find((one) => one.grantId === grantId)
  assert.equal(ended?.reason, 'revoked_by_client')
})

test('signing out ends the session in the browser, and the app keeps its access', async () => {
  const it = await world.givenApp()
  const { tokens, browser } = await connect(world, it, await world.givenPerson(), SCOPE)
  const page = await browser.open(`${world.issuer}/oauth/logout?id_token_hint=${tokens.id_token}`)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const body = new URLSearchParams({ xsrf, logout: 'yes' })
  const done = await browser.request(`${world.issuer}/oauth/logout/confirm`, {
    method: 'POST',
    body,
  })
  assert.equal(done.headers.get('location'), `${world.issuer}/oauth/logout/success`)
  const next = await browser.open((await request(it, SCOPE)).url)
  assert.match(next.text, /name="password"/)
  assert.ok((await client.refreshTokenGrant(it.config, tokens.refresh_token ?? '')).access_token)
})

test('signing out leads nowhere that is not registered', async () => {
  const { status, url } = await cookieBrowser(world.issuer).open(
    `${world.issuer}/oauth/logout?client_id=${app.clientId}&post_logout_redirect_uri=https://evil.example/`,
  )
  assert.deepEqual([status, url.origin], [400, world.issuer])
})

test('a session of another bank is asked to sign in here, and answers nothing for this one', async () => {
  const otherBank = await world.givenTenant('sandbox')
  const [theirs, theirApp] = [
    await world.givenPerson({ tenantId: otherBank }),
    await world.givenApp({ tenantId: otherBank }),
  ]
  const { browser } = await connect(world, theirApp, theirs, SCOPE)
  const here = await browser.open((await request(app, SCOPE)).url)
  assert.match(here.text, /name="password"/)
  const strange = await browser.send({ username: theirs.username, password: theirs.password })
  assert.match(strange.text, /do not fit together/)
})

test('a browser that came by another name of this machine is sent to the issuer first', async () => {
  const { port } = new URL(world.issuer)
  const path = '/oauth/authorize?client_id=x'
  const response = await fetch(`http://localhost:${port}${path}`, { redirect: 'manual' })
  assert.deepEqual([response.status, response.headers.get('location')], [302, world.issuer + path])
})

test('a request line that names another host leads to the issuer too', async () => {
  const { hostname, port } = new URL(world.issuer)
  const path = '/oauth/authorize?client_id=x'
  const headers = { host: `localhost:${port}` }
  const asked = { hostname, port, headers, path: `http://evil.example${path}` }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(asked, resolve).on('error', reject)
  })
  response.resume()
  assert.deepEqual([response.statusCode, response.headers.location], [302, world.issuer + path])
})

interface Taken {
  readonly error?: string
  readonly error_description?: string
  readonly scope?: string
  readonly refresh_token?: string
}

async function take(by: App, fields: Record<string, string>): Promise<Taken> {
  const basic = Buffer.from(`${by.clientId}:${by.clientSecret}`).toString('base64')
  const response = await fetch(`${world.issuer}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams(fields),
  })
  return (await response.json()) as Taken
}
