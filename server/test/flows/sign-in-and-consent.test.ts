import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { cookieBrowser } from '../support/cookie-browser.ts'
import {
  type SignInWorld,
  REDIRECT,
  request,
  connect,
  openSignInWorld,
  redeem,
} from '../support/sign-in-world.ts'

const SCOPE = 'openid accounts:read balance:read'
let world: SignInWorld

before(async () => {
  world = await openSignInWorld()
})
after(() => world?.close())

test('a customer signs in, agrees, and the app holds tokens that it refreshes', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson()]
  const asked = await request(app, SCOPE)
  const browser = cookieBrowser(world.issuer)

  const login = await browser.open(asked.url)
  assert.match(login.url.pathname, /^\/oauth\/interaction\//)
  assert.match(login.text, /<h1>Sign in<\/h1>/)
  assert.match(login.text, /Budget &lt;b&gt;App/)

  const consent = await browser.send({ username: person.username, password: person.password })
  assert.match(consent.text, /use accounts:read/)
  const [chosen = ''] = world.consents.accounts
  const landed = await browser.send({ decision: 'allow', account_ids: [chosen] })
  assert.equal(landed.url.origin + landed.url.pathname, REDIRECT)
  assert.equal(landed.url.searchParams.get('iss'), world.issuer)

  const tokens = await redeem(app, landed.url, asked)
  assert.equal(tokens.expires_in, 900)
  assert.equal(tokens.scope, 'accounts:read balance:read')
  const grant = world.consents.granted.at(-1)
  assert.deepEqual(grant?.accountIds, [chosen])
  const { iat = 0, jti, auth_time, exp = 0, ...claims } = decodeJwt(tokens.access_token)
  assert.equal(exp - iat, 900)
  assert.ok(typeof jti === 'string' && Math.abs(Number(auth_time) - iat) < 60)
  assert.deepEqual(claims, {
    iss: world.issuer,
    sub: person.accountId,
    aud: 'urn:countinghouse:api',
    client_id: app.clientId,
    scope: 'accounts:read balance:read',
    tid: world.tenantId,
    env: 'sandbox',
    prf: 'standard',
    gid: grant?.grantId,
    pid: person.partyId,
    acr: 'ch:1',
    amr: ['pwd'],
  })
  assert.equal(tokens.claims()?.sub, person.accountId)

  const again = await client.refreshTokenGrant(app.config, tokens.refresh_token ?? '')
  assert.notEqual(again.refresh_token, tokens.refresh_token)
  const refreshed = decodeJwt(again.access_token)
  assert.deepEqual([refreshed.sub, refreshed['gid']], [person.accountId, grant?.grantId])
  assert.equal(refreshed['auth_time'], auth_time)
})

test('a refresh token used again after the grace ends everything, and it is on record', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson()]
  const { tokens } = await connect(world, app, person, SCOPE)
  const old = tokens.refresh_token ?? ''
  const { refresh_token: next = '' } = await client.refreshTokenGrant(app.config, old)
  await passGrace()
  await assert.rejects(client.refreshTokenGrant(app.config, old), { error: 'invalid_grant' })
  await assert.rejects(client.refreshTokenGrant(app.config, next), { error: 'invalid_grant' })
  const grantId = world.consents.granted.at(-1)?.grantId
  const ended = world.consents.ended.filter((one) => one.grantId === grantId)
  assert.deepEqual(
    ended.map(({ reason, tenantId }) => [reason, tenantId]),
    [['refresh_token_reused', world.tenantId]],
  )
  const { rows } = await world.database.pools.read.query(
    `select actor_id, action, reason from audit.events where resource_kind = 'grant' and reason = $1`,
    ['refresh_token_reused'],
  )
  assert.deepEqual(rows, [
    { actor_id: app.clientId, action: 'grant.end', reason: 'refresh_token_reused' },
  ])
  const { rows: revoked } = await world.database.pools.read.query(
    `select value from identity.revocations where kind = 'grant' and value = $1`,
    [grantId],
  )
  assert.equal(revoked.length, 1)
})

/** Lets the moment pass in which a second use counts as a double submission. */
async function passGrace(): Promise<void> {
  await world.database.pools.identity.query(
    `update identity.artifacts set consumed_at = consumed_at - interval '5 seconds'
      where model = 'RefreshToken' and consumed_at is not null`,
  )
}
