import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeJwt } from 'jose'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { publicId } from '../../src/platform/ids.ts'
import { noChromium, openChromium } from '../support/chromium.ts'
import { cookieBrowser } from '../support/cookie-browser.ts'
import { type AppSite, openAppSite, refusals, shot, violations } from '../support/pages.ts'
import {
  type App,
  type Person,
  type SignInWorld,
  openSignInWorld,
  redeem,
  request,
} from '../support/sign-in-world.ts'

const SCOPE = 'openid accounts:read transfer:write'
let world: SignInWorld
let browser: Browser
let app: App
let callback: AppSite

before(async () => {
  if (noChromium !== false) return
  world = await openSignInWorld({ host: 'localhost' })
  browser = await openChromium()
  callback = await openAppSite('127.0.0.1')
  app = await world.givenApp({ redirectUris: [callback.url], name: 'Budget Planner' })
})
after(async () => {
  await browser?.close()
  await callback?.close()
  await world?.close()
  assert.deepEqual(world?.errors ?? [], [])
})

/** A device that holds passkeys and, if it is so told, knows its owner. */
interface Device {
  readonly page: Page
  /** What the content policy turned away. */
  readonly blocked: string[]
  knowsOwner(isVerified: boolean): Promise<void>
  keys(): Promise<{ credentialId: string; signCount: number }[]>
}

async function openDevice(options: { readonly bypassCSP?: boolean } = {}): Promise<Device> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(10_000)
  const page = await context.newPage()
  const blocked = refusals(page)
  const cdp: CDPSession = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    page,
    blocked,
    async knowsOwner(isVerified) {
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: isVerified })
    },
    async keys() {
      const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
      return credentials
    },
  }
}

async function check(page: Page, name: string): Promise<void> {
  await shot(page, name)
  assert.deepEqual(await violations(page), [], name)
}

function home(kind: 'customer' | 'operator' = 'customer'): string {
  const path = `${world.issuer}/account/${publicId('ten', world.tenantId)}`
  return kind === 'customer' ? path : `${path}/operator`
}

async function signInByPassword(page: Page, person: Person, hasCode = false): Promise<void> {
  await page.fill('#username', person.username)
  await page.fill('#password', person.password)
  await page.keyboard.press('Enter')
  if (!hasCode) return
  await page.fill('#otp', person.code())
  await page.keyboard.press('Enter')
}

async function enrol({ page }: Device, person: Person, name = 'My phone'): Promise<void> {
  await page.goto(home())
  await signInByPassword(page, person)
  await page.click('text=Your passkeys')
  await page.fill('#name', name)
  await page.click('button[data-start]')
  await page.waitForSelector('[role="status"].notice')
}

/** As far as the device is asked. */
async function beginPasskey(page: Page, person: Person): Promise<void> {
  await page.fill('#username', person.username)
  await page.click('button[value="passkey"]')
  await page.waitForSelector('button[data-start]:not([hidden])')
}

/** Waits until the page says it, for those who hear it too. */
async function said(page: Page, words: string): Promise<void> {
  await page.locator('#passkey-status', { hasText: words }).waitFor()
}

async function asked(more: Readonly<Record<string, string>> = {}) {
  return await request(app, SCOPE, { redirect_uri: callback.url, ...more })
}

test(
  'a customer adds a passkey and signs in to an app that takes nothing less',
  { skip: noChromium },
  async () => {
    const person = await world.givenPerson()
    const device = await openDevice()
    const { page } = device
    await enrol(device, person)
    assert.match(await page.innerText('main'), /My phone/)
    const [key] = await device.keys()
    await page.context().clearCookies()

    const wanted = await asked({ acr_values: 'ch:phr' })
    await page.goto(wanted.url)
    assert.equal(await page.locator('#password').count(), 0)
    await page.fill('#username', person.username)
    await page.keyboard.press('Enter')
    await page.waitForSelector('button[data-start]:not([hidden])')
    await page.click('button[data-start]')
    await page.waitForSelector('[value="allow"]')
    await page.click('[value="allow"]')
    await page.waitForURL(`${callback.url}**`)
    const tokens = await redeem(app, new URL(page.url()), wanted)
    const claims = decodeJwt(tokens.access_token)
    assert.deepEqual(
      [claims.sub, claims['acr'], claims['amr']],
      [person.accountId, 'ch:phr', ['hwk', 'user', 'mfa']],
    )
    assert.ok(((await device.keys())[0]?.signCount ?? 0) > (key?.signCount ?? 0))
    assert.deepEqual(device.blocked, [])

    const again = await asked({ acr_values: 'ch:2' })
    await page.goto(again.url)
    await page.waitForURL(`${callback.url}**`)
    assert.ok(new URL(page.url()).searchParams.has('code'), 'a passkey does for what ch:2 does')
    await page.context().close()
  },
)

test('the metadata offers what a domain name makes possible', { skip: noChromium }, () => {
  const { acr_values_supported: levels } = app.config.serverMetadata()
  assert.deepEqual(levels, ['ch:1', 'ch:2', 'ch:phr'])
})

test(
  'a device that does not verify its owner opens nothing, and says so',
  { skip: noChromium },
  async () => {
    const person = await world.givenPerson()
    const device = await openDevice()
    const { page } = device
    await enrol(device, person)
    await page.context().clearCookies()
    await device.knowsOwner(false)
    await page.goto((await asked()).url)
    await beginPasskey(page, person)
    await page.click('button[data-start]')
    await said(page, 'No passkey was used')
    assert.equal(await page.title(), 'Use your passkey · Test bank')
    await device.knowsOwner(true)
    await page.click('button[data-start]')
    await page.waitForSelector('[value="allow"]')
    await page.context().close()
  },
)

test(
  'the passkey of somebody else is refused, and a removed one opens nothing',
  { skip: noChromium },
  async () => {
    const [ada, bert] = [await world.givenPerson(), await world.givenPerson()]
    const device = await openDevice()
    const { page } = device
    await enrol(device, ada)
    await page.context().clearCookies()
    await page.goto((await asked()).url)
    await beginPasskey(page, bert)
    await page.click('button[data-start]')
    await page.waitForSelector('[role="alert"]')
    assert.equal(await page.title(), 'Error: Use your passkey · Test bank')

    await page.goto(home())
    await beginPasskey(page, ada)
    await page.click('button[data-start]')
    await page.waitForURL('**/consents')
    await page.click('text=Your passkeys')
    await page.click('button[name="remove"]')
    await page.waitForSelector('.notice')
    assert.match(await page.innerText('main'), /You have no passkey yet/)
    await page.click('text=Sign out')
    await beginPasskey(page, ada)
    await page.click('button[data-start]')
    await page.waitForSelector('[role="alert"]')
    await page.context().close()
  },
)

test(
  'a customer whose second factor is a passkey is asked for it after the password',
  { skip: noChromium },
  async () => {
    const person = await world.givenPerson()
    const device = await openDevice()
    const { page } = device
    await enrol(device, person)
    await page.context().clearCookies()
    await page.goto((await asked()).url)
    await signInByPassword(page, person)
    await page.waitForSelector('button[data-start]:not([hidden])')
    await page.click('button[data-start]')
    await page.waitForSelector('[value="allow"]')
    await page.context().close()
  },
)

test(
  'an operator adds a passkey on his own page and signs in by it alone',
  { skip: noChromium },
  async () => {
    const operator = await world.givenPerson({ kind: 'operator', roles: ['maker'], totp: true })
    const device = await openDevice()
    const { page } = device
    await page.goto(home('operator'))
    await signInByPassword(page, operator, true)
    await page.click('button[data-start]')
    await page.waitForSelector('.notice')
    const desk = await world.givenApp({
      kind: 'first_party',
      scope: 'openid payments:read payments:write',
      redirectUris: [callback.url],
    })
    await page.context().clearCookies()
    const wanted = await request(desk, 'openid payments:write', { redirect_uri: callback.url })
    await page.goto(wanted.url)
    await beginPasskey(page, operator)
    await page.click('button[data-start]')
    await page.waitForURL(`${callback.url}**`)
    const claims = decodeJwt((await redeem(desk, new URL(page.url()), wanted)).access_token)
    assert.deepEqual([claims.sub, claims['acr']], [operator.accountId, 'ch:phr'])
    await page.goto(`${home()}/consents`)
    await page.waitForSelector('#username')
    await page.context().close()
  },
)

test(
  'without script the password and the code still do, and the page says why the passkey does not',
  { skip: noChromium },
  async () => {
    const person = await world.givenPerson({ totp: true })
    const context = await browser.newContext({ javaScriptEnabled: false })
    context.setDefaultTimeout(10_000)
    const page = await context.newPage()
    await page.goto((await asked()).url)
    await page.fill('#username', person.username)
    await page.click('button[value="passkey"]')
    assert.match(await page.innerText('main'), /A passkey needs JavaScript/)
    assert.equal(await page.locator('button[data-start]').isVisible(), false)
    await page.click('button[value="password"]')
    assert.equal(await page.inputValue('#username'), person.username)
    await signInByPassword(page, person, true)
    await page.waitForSelector('[value="allow"]')
    await context.close()
  },
)

test('only the pages of passkeys have a script, and only ours', { skip: noChromium }, async () => {
  const person = await world.givenPerson()
  const visitor = cookieBrowser(world.issuer)
  const policyOf = (headers: Headers) => headers.get('content-security-policy') ?? ''
  const first = await visitor.open((await asked()).url)
  assert.match(policyOf(first.headers), /script-src;/)
  assert.doesNotMatch(first.text, /<script/)
  assert.match(first.headers.get('permissions-policy') ?? '', /publickey-credentials-get=\(\)/)
  const second = await visitor.send({ username: person.username, decision: 'passkey' })
  assert.match(policyOf(second.headers), /script-src 'self';/)
  const path = /<script type="module" src="([^"]+)">/.exec(second.text)?.[1] ?? ''
  const script = await fetch(world.issuer + path)
  assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8')
  assert.equal(script.headers.get('x-content-type-options'), 'nosniff')
  const nameless = await visitor.send({ decision: 'password' })
  assert.match(policyOf(nameless.headers), /script-src;/)
  const missing = await visitor.send({ username: '', decision: 'passkey' })
  assert.match(missing.text, /Please enter your user name first/)
})

test('nothing stands in anybody’s way on the pages of passkeys', { skip: noChromium }, async () => {
  const person = await world.givenPerson()
  const device = await openDevice({ bypassCSP: true })
  const { page } = device
  await page.goto(home())
  await signInByPassword(page, person)
  await page.click('text=Your passkeys')
  await page.waitForSelector('button[data-start]:not([hidden])')
  await check(page, 'passkeys-none')
  await page.fill('#name', 'My phone')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.notice')
  await check(page, 'passkeys-one')
  await page.click('button[data-start]')
  await said(page, 'holds a passkey')
  await check(page, 'passkeys-held')
  await page.goto(`${home()}/passkeys?problem=passkey_not_accepted`)
  await check(page, 'passkeys-problem')
  await page.context().clearCookies()
  await page.goto((await asked({ acr_values: 'ch:phr' })).url)
  await check(page, 'login-passkey-asked')
  await page.goto((await asked({ prompt: 'login' })).url)
  await check(page, 'login-passkey-offered')
  await page.click('button[value="passkey"]')
  await page.waitForSelector('[role="alert"]')
  await check(page, 'login-name-missing')
  await page.fill('#username', 'nobody.here')
  await page.click('button[value="passkey"]')
  await page.waitForSelector('button[data-start]:not([hidden])')
  await check(page, 'passkey')
  await page.click('button[data-start]')
  await page.waitForSelector('[role="alert"]')
  await check(page, 'passkey-error')
  await page.context().close()
})
