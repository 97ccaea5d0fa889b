import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeJwt } from 'jose'
import { cookieBrowser } from '../support/cookie-browser.ts'
import {
  type SignInWorld,
  openSignInWorld,
  redeem,
  request,
  walk,
} from '../support/sign-in-world.ts'

const READ = 'openid balance:read'
const MOVE = 'openid balance:read transfer:write'
let world: SignInWorld

before(async () => {
  world = await openSignInWorld()
})
after(async () => {
  assert.deepEqual(world?.errors, [])
  await world?.close()
})

const accounts = () => world.consents.accounts.slice(0, 1)

test('a customer with a second factor is asked for it, and the token says so', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson({ totp: true })]
  const asked = await request(app, MOVE)
  const { url } = await walk(cookieBrowser(world.issuer), asked, person, accounts())
  const claims = decodeJwt((await redeem(app, url, asked)).access_token)
  assert.deepEqual([claims['acr'], claims['amr']], ['ch:2', ['pwd', 'otp', 'mfa']])
})

test('a code works once, and a wrong one sends back to the start', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson({ totp: true })]
  const code = person.code()
  const first = cookieBrowser(world.issuer)
  await first.open((await request(app, READ)).url)
  await first.send({ username: person.username, password: person.password })
  assert.match((await first.send({ otp: code })).text, /value="allow"/)
  const second = cookieBrowser(world.issuer)
  await second.open((await request(app, READ)).url)
  await second.send({ username: person.username, password: person.password })
  const refused = await second.send({ otp: code })
  assert.match(refused.text, /wait for a new code/)
  assert.match(refused.text, /name="password"/)
})

test('a wish for two factors is kept: asked for again in a session of one, refused where there is none', async () => {
  const app = await world.givenApp()
  const plain = await world.givenPerson()
  const strong = await request(app, READ, { acr_values: 'ch:2' })
  const { url } = await walk(cookieBrowser(world.issuer), strong, plain, accounts())
  assert.equal(url.searchParams.get('error'), 'unmet_authentication_requirements')

  const browser = cookieBrowser(world.issuer)
  await walk(browser, await request(app, READ), plain, accounts())
  const again = await browser.open((await request(app, READ, { acr_values: 'ch:2' })).url)
  assert.match(again.text, /name="password"/)
  const enough = await browser.open((await request(app, READ, { acr_values: 'ch:2 ch:1' })).url)
  assert.ok(enough.url.searchParams.has('code'))
})

test('a wish for a passkey is kept: two factors do not do for it, and an address has none', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson({ totp: true })]
  const wish = { acr_values: 'ch:phr' }
  const browser = cookieBrowser(world.issuer)
  const { url } = await walk(browser, await request(app, READ, wish), person, accounts())
  assert.equal(url.searchParams.get('error'), 'unmet_authentication_requirements')
  const either = await request(app, READ, { acr_values: 'ch:phr ch:1' })
  const second = await world.givenPerson({ totp: true })
  const landed = await walk(cookieBrowser(world.issuer), either, second, accounts())
  assert.ok(landed.url.searchParams.has('code'), 'the least that is asked for will do')
  assert.deepEqual(app.config.serverMetadata()['acr_values_supported'], ['ch:1', 'ch:2'])
})

test('prompt=login asks again, whatever the session', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson()]
  const browser = cookieBrowser(world.issuer)
  await walk(browser, await request(app, READ), person, accounts())
  assert.ok((await browser.open((await request(app, READ)).url)).url.searchParams.has('code'))
  const fresh = await browser.open((await request(app, READ, { prompt: 'login' })).url)
  assert.match(fresh.text, /name="password"/)
})

test('at a live bank no customer lets an app move money by a password alone', async () => {
  const tenantId = await world.givenTenant('live')
  const app = await world.givenApp({ tenantId, redirectUris: ['https://app.example/callback'] })
  const redirect = { redirect_uri: 'https://app.example/callback' }
  const plain = await world.givenPerson({ tenantId })
  const refused = await walk(
    cookieBrowser(world.issuer),
    await request(app, MOVE, redirect),
    plain,
    accounts(),
  )
  assert.equal(refused.url.searchParams.get('error'), 'unmet_authentication_requirements')
  for (const [scope, person] of [
    [READ, plain],
    [MOVE, await world.givenPerson({ tenantId, totp: true })],
  ] as const) {
    const asked = await request(app, scope, redirect)
    const { url } = await walk(cookieBrowser(world.issuer), asked, person, accounts())
    assert.ok(url.searchParams.has('code'), scope)
  }
})

test('an operator is asked for a code whatever was typed, and only with both is there an answer', async () => {
  const desk = await world.givenApp({
    kind: 'first_party',
    scope: 'openid payments:read payments:write approvals:decide users:write',
  })
  const asked = await request(desk, 'openid payments:write approvals:decide users:write')
  const operator = await world.givenPerson({ kind: 'operator', roles: ['maker'], totp: true })
  for (const [username, password] of [
    ['nobody.here', operator.password],
    [operator.username, 'a wrong password'],
  ] as const) {
    const browser = cookieBrowser(world.issuer)
    await browser.open(asked.url)
    const codePage = await browser.send({ username, password })
    assert.match(codePage.text, /name="otp"/)
    assert.match((await browser.send({ otp: operator.code() })).text, /That did not work/)
  }
  const browser = cookieBrowser(world.issuer)
  await browser.open(asked.url)
  await browser.send({ username: operator.username, password: operator.password })
  const landed = await browser.send({ otp: operator.code() })
  const tokens = await redeem(desk, landed.url, asked)
  assert.equal(
    tokens.scope,
    'payments:write',
    'what the client holds, the role allows and was asked',
  )
  const claims = decodeJwt(tokens.access_token)
  assert.deepEqual([claims.sub, claims['acr']], [operator.accountId, 'ch:2'])
})

test('a customer is nobody at the console, and an operator nobody at an app', async () => {
  const desk = await world.givenApp({ kind: 'first_party', scope: 'openid payments:read' })
  const customer = await world.givenPerson({ totp: true })
  const browser = cookieBrowser(world.issuer)
  await browser.open((await request(desk, 'openid payments:read')).url)
  await browser.send({ username: customer.username, password: customer.password })
  assert.match((await browser.send({ otp: customer.code() })).text, /That did not work/)
  const operator = await world.givenPerson({ kind: 'operator', roles: ['maker'], totp: true })
  const other = cookieBrowser(world.issuer)
  await other.open((await request(await world.givenApp(), READ)).url)
  const refused = await other.send({ username: operator.username, password: operator.password })
  assert.match(refused.text, /do not fit together/)
})

test('a name or a password with NUL, which no database keeps, is a wrong one', async () => {
  const person = await world.givenPerson()
  const browser = cookieBrowser(world.issuer)
  await browser.open((await request(await world.givenApp(), READ)).url)
  for (const typed of [
    { username: `${person.username}\0`, password: person.password },
    { username: person.username, password: `${person.password}\0` },
  ]) {
    const page = await browser.send(typed)
    assert.deepEqual([page.status, /do not fit together/.test(page.text)], [200, true])
  }
})

test('after five wrong passwords the right one waits too; another name does not', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson()]
  const other = await world.givenPerson()
  const browser = cookieBrowser(world.issuer)
  await browser.open((await request(app, READ)).url)
  for (let guess = 0; guess < 5; guess += 1) {
    const page = await browser.send({ username: person.username, password: `guess ${guess}` })
    assert.match(page.text, /do not fit together/)
  }
  const blocked = await browser.send({ username: person.username, password: person.password })
  assert.match(blocked.text, /too many tries/)
  const free = await browser.send({ username: other.username, password: other.password })
  assert.match(free.text, /value="allow"/)
  const { rows } = await world.database.pools.read.query(
    `select outcome, count(*)::int as times from audit.events
      where action = 'user.sign_in' and resource_id = $1 group by outcome`,
    [person.userId],
  )
  assert.deepEqual(rows, [{ outcome: 'refused', times: 5 }])
})
