import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { publicId } from '../../src/platform/ids.ts'
import { noChromium, openChromium } from '../support/chromium.ts'
import { type AppSite, openAppSite, refusals, shot, violations } from '../support/pages.ts'
import {
  type App,
  type Person,
  type SignInWorld,
  connect,
  openSignInWorld,
  redeem,
  request,
} from '../support/sign-in-world.ts'

const SCOPE = 'openid accounts:read balance:read transfer:write'
let world: SignInWorld
let browser: Browser
let app: App
let callback: AppSite

before(async () => {
  if (noChromium !== false) return
  world = await openSignInWorld()
  browser = await openChromium()
  callback = await openAppSite('localhost')
  app = await world.givenApp({ redirectUris: [callback.url], name: 'Budget Planner' })
})
after(async () => {
  await browser?.close()
  await callback?.close()
  await world?.close()
})

async function context(
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<BrowserContext> {
  const made = await browser.newContext(options)
  made.setDefaultTimeout(10_000)
  return made
}

/** Tab until the element has the focus, as somebody without a mouse would. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press('Tab')
    if (await page.locator(`${selector}:focus`).count()) return
  }
  throw new Error(`${selector} is not reached by keyboard`)
}

async function asked() {
  return await request(app, SCOPE, { redirect_uri: callback.url })
}

test(
  'without script and without a mouse: sign in with a code, agree, and land at the app',
  { skip: noChromium },
  async () => {
    const person = await world.givenPerson({ totp: true })
    const page = await (await context({ javaScriptEnabled: false })).newPage()
    const refused = refusals(page)
    const wanted = await asked()
    await page.goto(wanted.url)
    assert.equal(await page.title(), 'Sign in · Test bank')

    await tabTo(page, '#username')
    await page.keyboard.type(person.username)
    await tabTo(page, '#password')
    await page.keyboard.type('not this one')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[role="alert"]')
    assert.equal(await page.title(), 'Error: Sign in · Test bank')
    assert.equal(await page.inputValue('#username'), person.username)

    await tabTo(page, '#password')
    await page.keyboard.type(person.password)
    await page.keyboard.press('Enter')
    await page.waitForSelector('#otp')
    await tabTo(page, '#otp')
    await page.keyboard.type(person.code())
    await page.keyboard.press('Enter')

    await page.waitForSelector('[value="allow"]')
    assert.match(
      await page.innerText('main'),
      /Budget Planner asks for access to your accounts at Test bank/,
    )
    await page.reload()
    await tabTo(page, `[value="${world.consents.accounts[1]}"]`)
    await page.keyboard.press('Space')
    await tabTo(page, 'button[value="allow"]')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${callback.url}**`)
    assert.equal(await page.innerText('body'), 'back at the app')
    assert.deepEqual(world.consents.granted.at(-1)?.accountIds, world.consents.accounts)

    const tokens = await redeem(app, new URL(page.url()), wanted)
    assert.equal(tokens.scope, 'accounts:read balance:read transfer:write')
    assert.deepEqual(refused, [])
    await page.context().close()
  },
)

for (const colorScheme of ['light', 'dark'] as const) {
  test(
    `nothing stands in anybody's way on any page (${colorScheme})`,
    { skip: noChromium },
    async () => {
      const person = await world.givenPerson({ totp: true })
      const options = { bypassCSP: true, colorScheme }
      const page = await (await context(options)).newPage()
      await page.goto((await asked()).url)
      await check(page, `login-${colorScheme}`)
      await signIn(page, person, 'wrong one here')
      await page.waitForSelector('[role="alert"]')
      await check(page, `login-error-${colorScheme}`)
      await signIn(page, person, person.password)
      await page.waitForSelector('#otp')
      await check(page, `code-${colorScheme}`)
      await page.fill('#otp', person.code())
      await page.keyboard.press('Enter')
      await page.waitForSelector('[value="allow"]')
      await check(page, `consent-${colorScheme}`)
      for (const box of await page.locator('input[type="checkbox"]').all()) await box.uncheck()
      await page.click('[value="allow"]')
      await page.waitForSelector('[role="alert"]')
      await check(page, `consent-error-${colorScheme}`)
      await page.locator('input[type="checkbox"]').first().check()
      await page.click('[value="allow"]')
      await page.waitForURL(`${callback.url}**`)
      await page.goto(home())
      await check(page, `own-login-${colorScheme}`)
      await signIn(page, person, 'wrong one here')
      await page.waitForSelector('[role="alert"]')
      await signIn(page, person, person.password)
      await page.waitForSelector('#otp')
      await check(page, `own-code-${colorScheme}`)
      await page.fill('#otp', person.code(1)) // the one of this half minute was used above
      await page.keyboard.press('Enter')
      await page.waitForSelector('[name="consent_id"]')
      await check(page, `own-consents-${colorScheme}`)
      await page.click('[name="consent_id"]')
      await page.waitForSelector('[role="status"]')
      await check(page, `own-withdrawn-${colorScheme}`)
      for (const query of ['code=abc&state=mine', 'error=access_denied']) {
        await page.goto(`${world.issuer}/sandbox/callback?${query}`)
        await check(page, `callback-${query.slice(0, 4)}-${colorScheme}`)
      }
      await page.goto(`${world.issuer}/account/nowhere`)
      await check(page, `own-missing-${colorScheme}`)
      await page.goto(`${world.issuer}/oauth/authorize?client_id=nobody`)
      await check(page, `error-${colorScheme}`)
      await page.goto(`${world.issuer}/oauth/logout?client_id=${app.clientId}`)
      await page.waitForSelector('[name="logout"]')
      await check(page, `logout-${colorScheme}`)
      await page.click('[name="logout"]')
      await page.waitForURL('**/oauth/logout/success')
      await check(page, `signed-out-${colorScheme}`)
      await page.context().close()
    },
  )
}

function home(): string {
  return `${world.issuer}/account/${publicId('ten', world.tenantId)}`
}

test(
  'without script and without a mouse: sign in at the bank, take access back, sign out',
  { skip: noChromium },
  async () => {
    const person = await world.givenPerson()
    await connect(world, await world.givenApp({ name: 'Budget Planner' }), person, SCOPE)
    const page = await (await context({ javaScriptEnabled: false })).newPage()
    const refused = refusals(page)
    await page.goto(home())
    await tabTo(page, '#username')
    await page.keyboard.type(person.username)
    await tabTo(page, '#password')
    await page.keyboard.type(person.password)
    await page.keyboard.press('Enter')
    await page.waitForURL(`${home()}/consents`)
    assert.equal(await page.title(), 'Apps with access · Test bank')
    assert.match(await page.innerText('section.card'), /Budget Planner[\s\S]*use transfer:write/)
    await tabTo(page, '[name="consent_id"]')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[role="status"]')
    assert.match(await page.innerText('main'), /No app has access to your accounts/)
    await page.reload()
    assert.equal(await page.locator('[role="status"]').count(), 0)
    await tabTo(page, 'form[action$="/sign-out"] button')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#password')
    assert.equal(page.url(), home())
    await page.goto(`${home()}/consents`)
    assert.equal(page.url(), home())
    assert.deepEqual(refused, [])
    await page.context().close()
  },
)

async function check(page: Page, name: string): Promise<void> {
  await shot(page, name)
  assert.deepEqual(await violations(page), [], name)
}

async function signIn(page: Page, person: Person, password: string): Promise<void> {
  await page.fill('#username', person.username)
  await page.fill('#password', password)
  await page.keyboard.press('Enter')
}

test(
  'at 400 % on a small screen nothing scrolls sideways, and buttons are large enough',
  { skip: noChromium },
  async () => {
    const person = await world.givenPerson()
    const page = await (await context({ viewport: { width: 320, height: 256 } })).newPage()
    await page.goto((await asked()).url)
    const fits = async () =>
      (await page.evaluate(
        'document.documentElement.scrollWidth <= document.documentElement.clientWidth',
      )) as boolean
    assert.ok(await fits())
    await signIn(page, person, person.password)
    await page.waitForSelector('[value="allow"]')
    assert.ok(await fits())
    await shot(page, 'consent-small')
    for (const target of await page.locator('button, input[type="checkbox"]').all()) {
      const box = await target.boundingBox()
      assert.ok(box !== null && box.width >= 24 && box.height >= 24)
    }
    await page.context().close()
  },
)

test(
  'somebody else at the same browser signs in, and the first one is signed out',
  { skip: noChromium },
  async () => {
    const [first, second] = [await world.givenPerson(), await world.givenPerson()]
    const page = await (await context({ javaScriptEnabled: true })).newPage()
    const refused = refusals(page)
    await page.goto((await asked()).url)
    await signIn(page, first, first.password)
    await page.waitForSelector('[value="allow"]')
    const again = await request(app, SCOPE, { redirect_uri: callback.url, prompt: 'login' })
    await page.goto(again.url)
    await signIn(page, second, second.password)
    await page.waitForSelector('[value="allow"]')
    await page.click('[value="allow"]')
    await page.waitForURL(`${callback.url}**`)
    assert.equal(world.consents.granted.at(-1)?.asked.user.userId, second.accountId)
    assert.deepEqual(refused, [])
    await page.context().close()
  },
)
