import assert from 'node:assert/strict'
import { hash, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Adapter } from 'oidc-provider'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { sql } from 'kysely'
import { type ArtifactParts, artifactAdapter } from '../../src/modules/identity/artifact-adapter.ts'
import { cookieBrowser } from '../support/cookie-browser.ts'
import {
  type App,
  type Asked,
  type SignInWorld,
  REDIRECT,
  connect,
  openSignInWorld,
  request,
  walk,
} from '../support/sign-in-world.ts'

const ROUNDS = 50
const AT_ONCE = 8
const SCOPE = 'openid accounts:read'

let world: SignInWorld
/** The same database behind an adapter that does what the library's documentation shows. */
let naive: SignInWorld

before(async () => {
  world = await openSignInWorld()
  naive = await openSignInWorld({ adapterOf: naiveAdapter })
})
after(async () => {
  await naive?.close()
  await world?.close()
})

/** Consumes without looking whether somebody was faster, and knows no grace. */
function naiveAdapter(model: string, parts: ArtifactParts): Adapter {
  const ours = artifactAdapter(model, parts)
  return {
    ...ours,
    async consume(id) {
      await sql`
        update identity.artifacts set consumed_at = now()
        where model = ${model} and id_hash = ${digest(id)}`.execute(parts.db)
    },
    async find(id) {
      const found = await ours.find(id)
      const { rows } = await sql`
        select from identity.artifacts
        where model = ${model} and id_hash = ${digest(id)} and consumed_at is not null`.execute(
        parts.db,
      )
      return found !== undefined && rows.length > 0 ? { ...found, consumed: true } : found
    },
  }
}

function digest(id: string): Buffer {
  return hash('sha256', id, 'buffer')
}

async function redeemRaw(
  to: SignInWorld,
  app: App,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${to.issuer}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}`,
      ...headers,
    },
    body: new URLSearchParams(fields),
  })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

/** Signs in once and takes a fresh code at every round: the consent lives, so no page is shown. */
async function codes(to: SignInWorld) {
  const [app, person] = [await to.givenApp(), await to.givenPerson()]
  const browser = cookieBrowser(to.issuer)
  const accounts = to.consents.accounts.slice(0, 1)
  return {
    app,
    async next() {
      const asked = await request(app, SCOPE)
      const { url } = await walk(browser, asked, person, accounts)
      return fieldsOf(url, asked)
    },
  }
}

function fieldsOf(url: URL, asked: Asked): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    code: url.searchParams.get('code') ?? '',
    redirect_uri: REDIRECT,
    code_verifier: asked.verifier,
  }
}

async function successes(to: SignInWorld, app: App, fields: Record<string, string>) {
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, () => redeemRaw(to, app, fields)),
  )
  for (const { status, body } of answers) {
    if (status !== 200) assert.deepEqual([status, body['error']], [400, 'invalid_grant'])
  }
  return answers.filter(({ status }) => status === 200)
}

test('one code redeemed eight times at once gives tokens once, in fifty rounds', async () => {
  const { app, next } = await codes(world)
  for (let round = 0; round < ROUNDS; round += 1) {
    assert.equal((await successes(world, app, await next())).length, 1, `round ${round}`)
  }
})

test('one refresh token used eight times at once gives tokens once, and the winner lives on', async () => {
  const [app, person] = [await world.givenApp(), await world.givenPerson()]
  const { tokens } = await connect(world, app, person, SCOPE)
  let token = tokens.refresh_token ?? ''
  for (let round = 0; round < ROUNDS; round += 1) {
    const fields = { grant_type: 'refresh_token', refresh_token: token }
    const winners = await successes(world, app, fields)
    assert.equal(winners.length, 1, `round ${round}`)
    token = winners[0]?.body['refresh_token'] ?? ''
  }
  assert.deepEqual(
    world.consents.ended.filter(
      ({ grantId }) => grantId === world.consents.granted.at(-1)?.grantId,
    ),
    [],
  )
})

test('with the library alone a code gives tokens several times over, and a double submission ends the grant', async () => {
  const { app, next } = await codes(naive)
  let several = 0
  for (let round = 0; round < 10; round += 1) {
    if ((await successes(naive, app, await next())).length > 1) several += 1
  }
  assert.ok(several > 0, 'the test above can fail')
  const again = await naive.givenApp()
  for (let round = 0; round < 3; round += 1) {
    const { tokens } = await connect(naive, again, await naive.givenPerson(), SCOPE)
    const grantId = naive.consents.granted.at(-1)?.grantId
    await twice(naive, again, tokens.refresh_token)
    assert.ok(naive.consents.ended.some((one) => one.grantId === grantId))
  }
})

test('a refresh token sent twice within the grace leaves the grant alive', async () => {
  const app = await world.givenApp()
  const { tokens } = await connect(world, app, await world.givenPerson(), SCOPE)
  const [first, second] = await twice(world, app, tokens.refresh_token)
  assert.deepEqual([first?.status, second?.status], [200, 400])
  const refresh = { grant_type: 'refresh_token', refresh_token: first?.body['refresh_token'] ?? '' }
  assert.equal((await redeemRaw(world, app, refresh)).status, 200)
})

async function twice(to: SignInWorld, app: App, token: string | undefined) {
  const fields = { grant_type: 'refresh_token', refresh_token: token ?? '' }
  return [await redeemRaw(to, app, fields), await redeemRaw(to, app, fields)]
}

test('one DPoP proof sent eight times at once binds one token', async () => {
  const app = await world.givenApp({ grantTypes: ['client_credentials'], redirectUris: [] })
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  for (let round = 0; round < 10; round += 1) {
    const proof = await new SignJWT({
      htm: 'POST',
      htu: `${world.issuer}/oauth/token`,
      jti: randomUUID(),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
      .setIssuedAt()
      .sign(privateKey)
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, () =>
        redeemRaw(world, app, { grant_type: 'client_credentials' }, { dpop: proof }),
      ),
    )
    const bound = answers.filter(({ status }) => status === 200)
    assert.deepEqual(
      bound.map(({ body }) => body['token_type']),
      ['DPoP'],
    )
  }
})
