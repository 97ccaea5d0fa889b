import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as client from 'openid-client'
import type { Browser } from 'playwright-core'
import { noChromium, openChromium } from '../support/chromium.ts'
import { type TestService, startServiceForTests } from '../support/service.ts'

const TOKEN_S = 8 // long enough for the steps that use one, short enough to wait for its end
const TOLERANCE_S = 15
const GRACE_MS = 6_500

let service: TestService
let browser: Browser

before(async () => {
  if (noChromium !== false) return
  service = await startServiceForTests({ worker: false, accessTokenSeconds: TOKEN_S })
  browser = await openChromium()
})
after(async () => {
  await browser?.close()
  await service?.close()
})

test(
  'a customer lets an app in; it reads, expires, refreshes, pays, and ends with a stolen refresh token',
  { skip: noChromium, timeout: 120_000 },
  async () => {
    const { clients, accounts } = service.credentials
    const config = await client.discovery(
      new URL(service.baseUrl),
      clients.app.client_id,
      undefined,
      client.ClientSecretBasic(clients.app.client_secret),
      { execute: [client.allowInsecureRequests] },
    )
    const { landed, checks } = await agreeInBrowser(config)
    const first = await client.authorizationCodeGrant(config, landed, checks)
    const began = performance.now()
    assert.equal(first.expires_in, TOKEN_S)
    assert.equal(await available(first), 1_000_000)

    await sleep((TOKEN_S + TOLERANCE_S + 1) * 1_000 - (performance.now() - began))
    const late = await balance(first)
    assert.deepEqual([late.status, late.body['code']], [401, 'token_expired'])
    assert.match(String(late.headers.get('www-authenticate')), /^Bearer .*error="invalid_token"/)

    const second = await client.refreshTokenGrant(config, first.refresh_token ?? '')
    const paid = await service.call('POST', '/api/transfer', {
      token: second.access_token,
      body: {
        from_account_id: accounts.customer_a,
        to_account_id: accounts.customer_b,
        amount: 2_500,
        currency: 'EUR',
      },
    })
    assert.deepEqual([paid.status, paid.body['status']], [201, 'booked'])
    assert.equal(await available(second), 997_500)
    const theirs = `/api/account/balance?account_id=${accounts.customer_b}`
    const token = await service.token(clients.backoffice) // its first one has expired by now
    assert.equal((await service.call('GET', theirs, { token })).body['available'], 1_002_500)

    await sleep(GRACE_MS)
    const stolen = client.refreshTokenGrant(config, first.refresh_token ?? '')
    await assert.rejects(stolen, { error: 'invalid_grant' })
    const mine = client.refreshTokenGrant(config, second.refresh_token ?? '')
    await assert.rejects(mine, { error: 'invalid_grant' })
    await sleep(1_000)
    const revoked = await balance(second)
    assert.deepEqual([revoked.status, revoked.body['code']], [401, 'token_revoked'])
  },
)

/** What the customer does in Chromium, from the app's link to the address where it gets the code. */
async function agreeInBrowser(config: client.Configuration) {
  const { clients, customers, accounts } = service.credentials
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
  }
  const redirect = clients.app.redirect_uris[0] ?? ''
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope: 'openid accounts:read balance:read transfer:write',
    state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  const page = await browser.newPage()
  try {
    await page.goto(url.href)
    await page.fill('#username', customers[0]?.username ?? '')
    await page.fill('#password', customers[0]?.password ?? '')
    await page.keyboard.press('Enter')
    await page.check(`[value="${accounts.customer_a}"]`)
    await page.click('button[value="allow"]')
    await page.waitForURL(`${redirect}**`)
    return { landed: new URL(page.url()), checks }
  } finally {
    await page.close()
  }
}

type Tokens = Pick<client.TokenEndpointResponse, 'access_token'>

function balance({ access_token: token }: Tokens) {
  return service.call('GET', '/api/account/balance', { token })
}

async function available(tokens: Tokens): Promise<unknown> {
  const { status, body } = await balance(tokens)
  assert.equal(status, 200)
  return body['available']
}
