import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeJwt, exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { cookieBrowser } from '../support/cookie-browser.ts'
import { type SignInWorld, expire, openSignInWorld, walk } from '../support/sign-in-world.ts'

const REDIRECT = 'https://app.example/callback'
const SCOPE = 'openid accounts:read'
let world: SignInWorld

before(async () => {
  world = await openSignInWorld()
})
after(async () => {
  assert.deepEqual(world?.errors, [])
  await world?.close()
})

/** An app of the profile: keys of its own for who it is and for what it holds. */
async function givenFapiApp() {
  const identity = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(identity.publicKey)), kid: 'k1', alg: 'ES256' }
  const { clientId } = await world.givenApp({
    profile: 'fapi2',
    authMethod: 'private_key_jwt',
    jwks: { keys: [jwk] },
    redirectUris: [REDIRECT],
    scope: 'openid accounts:read balance:read transfer:write',
    authorizationDetailsTypes: ['payment_initiation', 'account_information'],
  })
  const config = await client.discovery(
    new URL(world.issuer),
    clientId,
    undefined,
    client.PrivateKeyJwt({ key: identity.privateKey, kid: 'k1' }),
    { execute: [client.allowInsecureRequests] },
  )
  const keys = await client.randomDPoPKeyPair('ES256')
  return { clientId, clientSecret: '', config, keys, dpop: client.getDPoPHandle(config, keys) }
}

type FapiApp = Awaited<ReturnType<typeof givenFapiApp>>

async function pushed(app: FapiApp, changes: Record<string, string> = {}) {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const parameters = {
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...changes,
  }
  const url = await client.buildAuthorizationUrlWithPAR(app.config, parameters, { DPoP: app.dpop })
  return { url: url.href, verifier, state }
}

async function codeFor(app: FapiApp, changes: Record<string, string> = {}) {
  const asked = await pushed(app, changes)
  const browser = cookieBrowser(world.issuer)
  const person = await world.givenPerson()
  const { url } = await walk(browser, asked, person, world.consents.accounts.slice(0, 1))
  return { asked, url, browser }
}

async function redeemed(app: FapiApp, { asked, url }: Awaited<ReturnType<typeof codeFor>>) {
  const checks = { pkceCodeVerifier: asked.verifier, expectedState: asked.state }
  return await client.authorizationCodeGrant(app.config, url, checks, undefined, { DPoP: app.dpop })
}

test('an app of the profile pushes its request, and holds tokens bound to its key', async () => {
  const app = await givenFapiApp()
  const tokens = await redeemed(app, await codeFor(app))
  assert.equal(tokens.token_type, 'dpop')
  const claims = decodeJwt(tokens.access_token)
  assert.equal(claims['prf'], 'fapi2')
  assert.match(String((claims['cnf'] as { jkt?: string }).jkt), /^[\w-]{43}$/)
  const again = await client.refreshTokenGrant(
    app.config,
    tokens.refresh_token ?? '',
    {},
    { DPoP: app.dpop },
  )
  assert.ok(again.refresh_token === undefined || again.refresh_token === tokens.refresh_token)
  const third = await client.refreshTokenGrant(
    app.config,
    tokens.refresh_token ?? '',
    {},
    { DPoP: app.dpop },
  )
  assert.ok(third.access_token, 'nothing rotates: the same token serves again')
})

test('a request that was not pushed is refused', async () => {
  const app = await givenFapiApp()
  const url = client.buildAuthorizationUrl(app.config, {
    redirect_uri: REDIRECT,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  })
  const landed = await cookieBrowser(world.issuer).open(url.href)
  assert.equal(landed.url.searchParams.get('error'), 'invalid_request')
})

for (const [what, changes] of [
  ['without PKCE', { code_challenge: '', code_challenge_method: '' }],
  ['with plain PKCE', { code_challenge_method: 'plain' }],
  ['for another redirect', { redirect_uri: 'https://evil.example/callback' }],
  ['for a token in the front channel', { response_type: 'token' }],
] as const) {
  test(`a request ${what} cannot be pushed`, async () => {
    await assert.rejects(pushed(await givenFapiApp(), changes), client.ResponseBodyError)
  })
}

test('a pushed request is used once, and only by the app that pushed it', async () => {
  const [app, other] = [await givenFapiApp(), await givenFapiApp()]
  const code = await codeFor(app)
  const again = await code.browser.open(code.asked.url)
  assert.equal(again.url.searchParams.get('code'), null)
  const asked = await pushed(app)
  const stolen = new URL(asked.url)
  stolen.searchParams.set('client_id', other.clientId)
  const landed = await cookieBrowser(world.issuer).open(stolen.href)
  assert.equal(landed.status, 400)
})

test('a pushed request that is too old is refused', async () => {
  const app = await givenFapiApp()
  const asked = await pushed(app)
  const uri = new URL(asked.url).searchParams.get('request_uri') ?? ''
  await expire(world, 'PushedAuthorizationRequest', uri.split(':').at(-1) ?? '')
  const landed = await cookieBrowser(world.issuer).open(asked.url)
  assert.deepEqual([landed.status, /invalid_request_uri/.test(landed.text)], [400, true])
})

test('the sign-in page may be loaded again before the request counts as used', async () => {
  const app = await givenFapiApp()
  const asked = await pushed(app)
  const browser = cookieBrowser(world.issuer)
  for (let load = 0; load < 2; load += 1) {
    assert.match((await browser.open(asked.url)).text, /name="password"/)
  }
})

test('a code and a refresh token are worth nothing with another key, or with none', async () => {
  const app = await givenFapiApp()
  const thief = client.getDPoPHandle(app.config, await client.randomDPoPKeyPair('ES256'))
  const code = await codeFor(app)
  const checks = { pkceCodeVerifier: code.asked.verifier, expectedState: code.asked.state }
  for (const options of [{ DPoP: thief }, undefined]) {
    await assert.rejects(
      client.authorizationCodeGrant(app.config, code.url, checks, undefined, options),
      (error: { error?: string }) =>
        ['invalid_grant', 'invalid_request', 'invalid_dpop_proof'].includes(error.error ?? ''),
    )
  }
  const tokens = await redeemed(app, await codeFor(app))
  for (const options of [{ DPoP: thief }, undefined]) {
    await assert.rejects(
      client.refreshTokenGrant(app.config, tokens.refresh_token ?? '', {}, options),
      (error: { error?: string }) =>
        ['invalid_grant', 'invalid_request', 'invalid_dpop_proof'].includes(error.error ?? ''),
    )
  }
})

test('a payment is approved as it stands, and the token carries it', async () => {
  const app = await givenFapiApp()
  const [to = ''] = world.consents.accounts
  const payment = { type: 'payment_initiation', to_account_id: to, amount: 12_345, currency: 'EUR' }
  const details = JSON.stringify([payment])
  const asked = await pushed(app, {
    authorization_details: details,
    scope: 'openid transfer:write',
  })
  const browser = cookieBrowser(world.issuer)
  const person = await world.givenPerson()
  await browser.open(asked.url)
  const page = await browser.send({ username: person.username, password: person.password })
  assert.match(page.text, /12345 to somebody/)
  const { url } = await browser.send({ decision: 'allow' })
  const tokens = await redeemed(app, { asked, url, browser })
  assert.deepEqual(tokens['authorization_details'], [payment])
  assert.deepEqual(decodeJwt(tokens.access_token)['authorization_details'], [payment])
})

test('malformed details, two payments at once, and a negative amount are refused', async () => {
  const app = await givenFapiApp()
  const [to = ''] = world.consents.accounts
  const payment = { type: 'payment_initiation', to_account_id: to, amount: 1, currency: 'EUR' }
  for (const details of [
    [payment, payment],
    [{ ...payment, amount: -1 }],
    [{ ...payment, amount: 1.5 }],
    [{ ...payment, note: 'more' }],
    [{ ...payment, reference: 'a\0b' }],
    [{ ...payment, reference: 'half \ud83d' }],
    [{ ...payment, currency: 'XXX' }],
    [
      {
        type: 'account_information',
        actions: ['balance:read'],
        valid_until: '2027-02-30T00:00:00Z',
      },
    ],
    [
      {
        type: 'account_information',
        actions: ['balance:read'],
        valid_until: '2027-99-99T99:99:99Z',
      },
    ],
    [
      {
        type: 'account_information',
        actions: ['transfer:write'],
        valid_until: '2027-01-01T00:00:00Z',
      },
    ],
    [{ type: 'something_else' }],
  ]) {
    await assert.rejects(pushed(app, { authorization_details: JSON.stringify(details) }), {
      error: 'invalid_authorization_details',
    })
  }
})
