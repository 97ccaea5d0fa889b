import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { publicId } from '../../src/platform/ids.ts'
import { type CookieBrowser, type Landed, cookieBrowser } from '../support/cookie-browser.ts'
import {
  type Person,
  type SignInWorld,
  alter,
  connect,
  openSignInWorld,
} from '../support/sign-in-world.ts'

let world: SignInWorld

before(async () => {
  world = await openSignInWorld()
})
after(async () => {
  await world?.close()
  assert.deepEqual(world?.errors, [])
})

function home(tenantId = world.tenantId): string {
  return `${world.issuer}/account/${publicId('ten', tenantId)}`
}

async function signIn(browser: CookieBrowser, person: Person): Promise<Landed> {
  await browser.open(home())
  return await browser.send({ username: person.username, password: person.password })
}

function sessionOf(browser: CookieBrowser): string {
  return browser.cookies.get('ch_account')?.value ?? ''
}

test('a customer signs in without any app, sees who has access, and takes it back', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson()]
  const { tokens } = await connect(world, app, person, 'openid accounts:read balance:read')
  const browser = cookieBrowser(world.issuer)
  const landed = await signIn(browser, person)
  assert.equal(landed.url.href, `${home()}/consents`)
  assert.match(landed.text, /Budget &lt;b&gt;App&lt;\/b&gt;/)
  assert.match(landed.text, /use balance:read/)
  const id = /name="consent_id" value="(grt_\w+)"/.exec(landed.text)?.[1] ?? ''

  const after = await browser.send({ consent_id: id })
  assert.match(after.text, /role="status">Done\. The app has no access any more\./)
  assert.match(after.text, /No app has access to your accounts\./)
  await assert.rejects(
    client.refreshTokenGrant(app.config, tokens.refresh_token ?? ''),
    (error: client.ResponseBodyError) => error.error === 'invalid_grant',
  )
  const again = await browser.open(`${home()}/consents`)
  assert.doesNotMatch(again.text, /role="status"/, 'said once')
})

test('a second factor is asked for, a wrong code says so, and Start again forgets what was typed', async () => {
  const person = await world.givenPerson({ totp: true })
  const browser = cookieBrowser(world.issuer)
  const code = await signIn(browser, person)
  assert.match(code.text, /name="otp"/)
  const begun = await browser.send({ decision: 'cancel' })
  assert.match(begun.text, /name="password"/)
  await browser.send({ username: person.username, password: person.password })
  const wrongCode = await browser.send({ otp: '000000' })
  assert.match(wrongCode.text, /Please sign in again/)
  await browser.send({ username: person.username, password: person.password })
  const landed = await browser.send({ otp: person.code() })
  assert.equal(landed.url.pathname, new URL(`${home()}/consents`).pathname)
})

test('guesses are slowed as on every other page', async () => {
  const person = await world.givenPerson()
  const browser = cookieBrowser(world.issuer)
  let landed = await signIn(browser, { ...person, password: 'guess number one' })
  for (let guess = 2; guess <= 6; guess += 1) {
    landed = await browser.send({ username: person.username, password: `guess number ${guess}` })
  }
  assert.match(landed.text, /too many tries/)
  const right = await browser.send({ username: person.username, password: person.password })
  assert.match(right.text, /too many tries/)
})

test('the cookie is ours alone, the database holds its hash, and signing in changes it', async () => {
  const person = await world.givenPerson()
  const browser = cookieBrowser(world.issuer)
  await signIn(browser, { ...person, password: 'some other words' })
  const before = sessionOf(browser)
  assert.equal(Buffer.from(before, 'base64url').length, 32)
  await browser.send({ username: person.username, password: person.password })
  const id = sessionOf(browser)
  assert.notEqual(id, before)
  const { header } = browser.cookies.get('ch_account') ?? { header: '' }
  assert.match(header, /; Path=\/; HttpOnly; SameSite=Lax$/)
  const { rows } = await world.database.pools.identity.query<{ hash: string; row: string }>(
    `select encode(id_hash, 'hex') as hash, artifacts::text as row from identity.artifacts
     where model = 'AccountSession' and subject_hash = sha256(convert_to($1, 'UTF8'))`,
    [person.accountId],
  )
  assert.deepEqual(
    rows.map((row) => row.hash),
    [hash('sha256', id)],
  )
  assert.equal(rows[0]?.row.includes(id), false)
  assert.equal(rows[0]?.row.includes(world.tenantId), true, 'only the payload is sealed')
  const fixed = await world.http.inject({
    url: `${new URL(home()).pathname}/consents`,
    headers: { cookie: `ch_account=${before}` },
  })
  assert.equal(fixed.statusCode, 303, 'the id from before the sign-in is worth nothing')
})

const MINUTE = 60_000
const ages = [
  { idle: 14, old: 14, lives: true },
  { idle: 16, old: 16, lives: false },
  { idle: 1, old: 719, lives: true },
  { idle: 1, old: 721, lives: false },
]
for (const { idle, old, lives } of ages) {
  const verdict = lives ? 'goes on' : 'has ended'
  test(`a session ${old} minutes old and idle for ${idle} ${verdict}`, async () => {
    const browser = cookieBrowser(world.issuer)
    await signIn(browser, await world.givenPerson())
    const seen = Date.now() - idle * MINUTE
    const since = Date.now() - old * MINUTE
    await alter(world, 'AccountSession', sessionOf(browser), { seen, since })
    const { url } = await browser.open(`${home()}/consents`)
    assert.equal(url.href, lives ? `${home()}/consents` : home())
    if (!lives) return
    const again = await browser.request(`${home()}/consents`)
    assert.equal(again.status, 200)
  })
}

test('signing out ends the session, and not only its cookie', async () => {
  const browser = cookieBrowser(world.issuer)
  await signIn(browser, await world.givenPerson())
  const id = sessionOf(browser)
  const headers = { origin: world.issuer, 'sec-fetch-site': 'same-origin' }
  const body = new URLSearchParams()
  const out = await browser.request(`${home()}/sign-out`, { method: 'POST', body, headers })
  assert.deepEqual([out.status, out.headers.get('location')], [303, new URL(home()).pathname])
  assert.equal(browser.cookies.has('ch_account'), false)
  const kept = await world.http.inject({
    url: `${new URL(home()).pathname}/consents`,
    headers: { cookie: `ch_account=${id}` },
  })
  assert.equal(kept.statusCode, 303)
})

test('another site posts nothing, another bank knows nobody, and another customer takes nothing', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson()]
  await connect(world, app, person, 'openid balance:read')
  const grantId = world.consents.granted.at(-1)?.grantId ?? ''
  const stranger = cookieBrowser(world.issuer)
  await signIn(stranger, await world.givenPerson())
  const taken = await stranger.send({ consent_id: grantId })
  assert.match(taken.text, /There is no such access\./)

  const browser = cookieBrowser(world.issuer)
  await signIn(browser, person)
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of foreign) {
    const refused = await browser.send({ consent_id: grantId }, headers)
    assert.equal(refused.status, 400)
    await browser.open(`${home()}/consents`)
  }
  const live = await world.givenTenant('live')
  const elsewhere = await browser.open(`${home(live)}/consents`)
  assert.equal(elsewhere.url.href, home(live))
  assert.match(elsewhere.text, /name="password"/)
  assert.match((await browser.open(`${home()}/consents`)).text, new RegExp(grantId), 'still there')
})

test('an operator is no customer, and below an unknown address there is nothing', async () => {
  const operator = await world.givenPerson({ kind: 'operator', roles: [], totp: true })
  const landed = await signIn(cookieBrowser(world.issuer), operator)
  assert.match(landed.text, /do not fit together/)
  for (const path of [publicId('ten', operator.userId), 'ten_nothing', 'x']) {
    const { status, text, headers } = await cookieBrowser(world.issuer).open(
      `${world.issuer}/account/${path}`,
    )
    assert.equal(status, 404)
    assert.match(text, /There is no page here/)
    assert.match(
      headers.get('content-security-policy') ?? '',
      /^default-src 'none';.*form-action 'self'$/,
    )
    assert.equal(headers.get('cache-control'), 'no-store')
  }
})
