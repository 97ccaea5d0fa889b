import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  type IncomingMessage,
  createServer as createHttpServer,
  request as httpRequest,
} from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CryptoKey,
  SignJWT,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
} from 'jose'
import * as client from 'openid-client'
import type { Pool } from 'pg'
import { systemClock } from '../../platform/clock.ts'
import { sealingUnder } from '../../platform/crypto/sealing.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { type Http, createHttp } from '../../platform/http/app.ts'
import { fetchThrough, openEgress } from '../../platform/http/egress.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { type AuthorizationServer, openAuthorizationServer } from './authorization-server.ts'
import { type NewClient, createClient } from './clients/create-client.ts'
import { createTenant } from './create-tenant.ts'
import { oauthRoutes } from './oauth.routes.ts'
import { rotateClientSecret } from './clients/rotate-client-secret.ts'

const SCOPE = 'payments:read payments:write history:read'
const at = new Date()
const printed: unknown[] = []

let database: TestDatabase
let http: Http
let server: AuthorizationServer
let issuer: string
let tenantId: string
let databaseIsAway = false
const egress = openEgress({ allow: [], loopback: true })

before(async () => {
  database = await createTestDatabase()
  issuer = `http://127.0.0.1:${await freePort()}`
  for (const method of ['info', 'warn', 'log', 'error'] as const) {
    console[method] = (...words: unknown[]) => printed.push(words)
  }
  server = await openAuthorizationServer({
    issuer,
    pool: { connect: connectUnlessAway } as unknown as Pool,
    sealing: sealingUnder(randomBytes(32)),
    clock: systemClock,
    fetch: fetchThrough(egress),
    onError: (error) => {
      if (!databaseIsAway) printed.push(error)
    },
  })
  http = createHttp({
    issuer,
    clock: systemClock,
    authenticate: server.guard.authenticate,
    fingerprintKey: randomBytes(32),
  })
  await http.register(oauthRoutes(server))
  await http.register(async (app) => {
    const contract = { config: { scope: 'payments:read' }, schema: { operationId: 'whoAmI' } }
    app.get('/whoami', contract, ({ actor }) => ({ ...actor, scopes: [...actor.scopes] }))
  })
  await http.listen({ host: '127.0.0.1', port: Number(new URL(issuer).port) })
  const make = (tx: Parameters<typeof createTenant>[0]) =>
    createTenant(tx, { name: 'Test bank', mode: 'sandbox', at })
  tenantId = (await inTransaction(database.pools.identity, make)).tenant_id
})

after(async () => {
  await http?.close()
  await server?.close()
  await egress.close()
  await database?.close()
})

function connectUnlessAway() {
  if (!databaseIsAway) return database.pools.identity.connect()
  return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function givenClient(changes: Partial<NewClient> = {}) {
  const asked: NewClient = {
    tenantId,
    name: 'Back office',
    kind: 'service',
    grantTypes: ['client_credentials'],
    scope: SCOPE,
    authMethod: 'client_secret_basic',
    at,
    ...changes,
  }
  const made = await inTransaction(database.pools.identity, (tx) => createClient(tx, asked))
  return { id: made.clientId, secret: made.clientSecret ?? '' }
}

async function givenKey(alg: 'ES256' | 'PS256' | 'EdDSA' | 'Ed25519') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: alg }] } }
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

async function post(fields: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(fields),
  })
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, headers: response.headers, body } satisfies Answer
}

function basic(id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

function ask(it: { id: string; secret: string }, fields: Record<string, string> = {}) {
  return post({ grant_type: 'client_credentials', ...fields }, basic(it.id, it.secret))
}

async function whoami(token: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${issuer}/whoami`, {
    headers: { authorization: `Bearer ${String(token)}`, ...headers },
  })
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, headers: response.headers, body }
}

async function discovered(id: string, auth: client.ClientAuth) {
  return await client.discovery(new URL(issuer), id, undefined, auth, {
    execute: [client.allowInsecureRequests],
  })
}

async function statusAt(path: string, init?: RequestInit): Promise<number> {
  return (await fetch(issuer + path, init)).status
}

test('the authorization server starts without a word', () => {
  assert.deepEqual(printed, [])
})

test('a client finds the server, takes a token by secret in the header, and is known by it', async () => {
  const it = await givenClient()
  const found = await discovered(it.id, client.ClientSecretBasic(it.secret))
  const answer = await client.clientCredentialsGrant(found, { scope: 'payments:read' })
  assert.equal(answer.token_type, 'bearer')
  assert.equal(answer.expires_in, 900)
  assert.equal(answer.scope, 'payments:read')
  const { status, body } = await whoami(answer.access_token)
  assert.equal(status, 200)
  assert.deepEqual(body, {
    kind: 'client',
    id: it.id,
    principal: it.id,
    clientId: it.id,
    tenantId,
    tenantMode: 'sandbox',
    scopes: ['payments:read'],
    origin: '127.0.0.1',
  })
})

test('a client takes a token by secret in the form', async () => {
  const it = await givenClient({ authMethod: 'client_secret_post' })
  const found = await discovered(it.id, client.ClientSecretPost(it.secret))
  const answer = await client.clientCredentialsGrant(found)
  assert.equal((await whoami(answer.access_token)).body['id'], it.id)
})

for (const alg of ['ES256', 'PS256', 'Ed25519'] as const) {
  test(`a client takes a token by an assertion signed ${alg}`, async () => {
    const { privateKey, jwks } = await givenKey(alg)
    const it = await givenClient({ authMethod: 'private_key_jwt', jwks })
    const found = await discovered(it.id, client.PrivateKeyJwt({ key: privateKey, kid: alg }))
    const answer = await client.clientCredentialsGrant(found, { scope: 'payments:read' })
    assert.equal((await whoami(answer.access_token)).body['id'], it.id)
  })
}

test('a client takes a token by an assertion signed EdDSA, the older name of Ed25519', async () => {
  const { privateKey, jwks } = await givenKey('EdDSA')
  const it = await givenClient({ authMethod: 'private_key_jwt', jwks })
  const own = { iss: it.id, sub: it.id }
  const answer = await asserted(it.id, await assertion(privateKey, own, 'EdDSA'))
  assert.equal(answer.status, 200)
})

test('the token is an RFC 9068 access token of 15 minutes that names tenant and environment', async () => {
  const it = await givenClient()
  const { body, headers } = await ask(it)
  const token = String(body['access_token'])
  assert.deepEqual(decodeProtectedHeader(token), {
    alg: 'ES256',
    typ: 'at+jwt',
    kid: server.keys.current()[0]?.kid,
  })
  const { iat = 0, exp = 0, jti, ...claims } = decodeJwt(token)
  assert.equal(exp - iat, 900)
  assert.ok(typeof jti === 'string' && jti.length > 0)
  assert.deepEqual(claims, {
    iss: issuer,
    sub: it.id,
    aud: 'urn:countinghouse:api',
    client_id: it.id,
    scope: SCOPE,
    tid: tenantId,
    env: 'sandbox',
    prf: 'standard',
  })
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.match(headers.get('request-id') ?? '', /^req_/)
})

test('a client that names no scope gets all it holds, also when it names the API', async () => {
  const it = await givenClient()
  for (const fields of [{}, { scope: '' }, { resource: 'urn:countinghouse:api' }]) {
    assert.equal((await ask(it, fields as Record<string, string>)).body['scope'], SCOPE)
  }
})

test('a scope that the client does not hold, or that does not exist, is refused', async () => {
  const it = await givenClient()
  for (const scope of ['ledger:write', 'payments:read ledger:write', 'payments:refund', 'openid']) {
    const { status, body } = await ask(it, { scope })
    assert.deepEqual([status, body['error']], [400, 'invalid_scope'], scope)
  }
})

test('another audience is refused', async () => {
  const { status, body } = await ask(await givenClient(), { resource: 'https://other.example' })
  assert.deepEqual([status, body['error']], [400, 'invalid_target'])
})

test('a token opens only the routes of its scope', async () => {
  const { body } = await ask(await givenClient(), { scope: 'history:read' })
  assert.equal((await whoami(body['access_token'])).status, 403)
})

test('a wrong secret, the stored hash as a secret, and an unknown client are refused alike', async () => {
  const it = await givenClient()
  const { rows } = await database.pools.identity.query(
    'select secret_hashes from identity.clients where client_id = $1',
    [it.id],
  )
  const [hash] = (rows[0] as { secret_hashes: string[] }).secret_hashes
  assert.match(hash ?? '', /^sha256\$[\w-]{43}$/)
  assert.match(it.secret, /^chs_sandbox_/)
  assert.notEqual(hash, it.secret)
  for (const [id, secret] of [
    [it.id, `${it.secret}x`],
    [it.id, it.secret.slice(0, -1)],
    [it.id, hash ?? ''],
    ['cli_00000000000000000000000000', it.secret],
  ] as const) {
    const { status, body, headers } = await ask({ id, secret })
    assert.deepEqual([status, body['error']], [401, 'invalid_client'])
    assert.match(headers.get('www-authenticate') ?? '', /^Basic /)
  }
})

test('twenty wrong secrets within a minute close the way for that client, also to the right one', async () => {
  const [it, other] = [await givenClient(), await givenClient()]
  for (let tries = 0; tries < 20; tries += 1) {
    assert.equal((await ask({ id: it.id, secret: `wrong-${tries}` })).status, 401)
  }
  const late = await ask(it)
  assert.deepEqual([late.status, late.body['error']], [429, 'temporarily_unavailable'])
  assert.equal(late.headers.get('retry-after'), '60')
  assert.equal((await ask(other)).status, 200, 'another client of the same address goes on')
  const audited = async () => {
    const { rows } = await database.pools.identity.query<{ reason: string }>(
      `select reason from audit.events where action = 'client.authenticate' and actor_id = $1`,
      [it.id],
    )
    return rows.map(({ reason }) => reason)
  }
  for (let waits = 0; waits < 50 && (await audited()).length === 0; waits += 1) await sleep(20)
  assert.deepEqual(await audited(), ['too_many_wrong_secrets'])
})

test('a client id with NUL, which no database can look up, is an unknown client', async () => {
  const { status, body } = await post({
    grant_type: 'client_credentials',
    client_id: 'cli_\0',
    client_secret: 'x',
  })
  assert.deepEqual([status, body['error']], [401, 'invalid_client'])
})

test('a client that has a key cannot come with a secret, nor with none', async () => {
  const { jwks } = await givenKey('ES256')
  const it = await givenClient({ authMethod: 'private_key_jwt', jwks })
  assert.equal((await ask({ id: it.id, secret: 'anything' })).body['error'], 'invalid_client')
  const bare = await post({ grant_type: 'client_credentials', client_id: it.id })
  assert.equal(bare.body['error'], 'invalid_client')
})

test('an app that acts for customers gets no token of its own', async () => {
  const it = await givenClient({
    kind: 'third_party',
    grantTypes: ['authorization_code', 'refresh_token'],
    scope: 'openid balance:read',
    redirectUris: ['http://127.0.0.1/callback'],
  })
  const { status, body } = await ask(it)
  assert.deepEqual([status, body['error']], [400, 'unauthorized_client'])
})

test('a disabled client gets no token', async () => {
  const it = await givenClient()
  assert.equal((await ask(it)).status, 200)
  await database.pools.identity.query(
    `update identity.clients set status = 'disabled' where client_id = $1`,
    [it.id],
  )
  server.forgetClient(it.id)
  assert.equal((await ask(it)).body['error'], 'invalid_client')
})

test('both secrets work while one replaces the other', async () => {
  const it = await givenClient()
  const rotate = (endOld: boolean) => (tx: Parameters<typeof createTenant>[0]) =>
    rotateClientSecret(tx, { tenantId, clientId: it.id, endOld })
  const second = await inTransaction(database.pools.identity, rotate(false))
  server.forgetClient(it.id)
  assert.equal((await ask(it)).status, 200)
  assert.equal((await ask({ id: it.id, secret: second.clientSecret })).status, 200)
  const third = await inTransaction(database.pools.identity, rotate(true))
  server.forgetClient(it.id)
  assert.equal((await ask(it)).status, 401)
  assert.equal((await ask({ id: it.id, secret: second.clientSecret })).status, 401)
  assert.equal((await ask({ id: it.id, secret: third.clientSecret })).status, 200)
})

async function assertion(
  key: CryptoKey,
  claims: Record<string, unknown>,
  alg = 'ES256',
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000)
  const jti = randomBytes(8).toString('hex')
  return await new SignJWT({ aud: issuer, iat: now, exp: now + 60, jti, ...claims })
    .setProtectedHeader({ alg, kid: alg })
    .sign(key)
}

function asserted(id: string, jwt: string) {
  return post({
    grant_type: 'client_credentials',
    client_id: id,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: jwt,
  })
}

test('of six parallel uses of one assertion exactly one gets a token', async () => {
  const { privateKey, jwks } = await givenKey('ES256')
  const it = await givenClient({ authMethod: 'private_key_jwt', jwks })
  for (let round = 0; round < 5; round += 1) {
    const jwt = await assertion(privateKey, { iss: it.id, sub: it.id })
    const answers = await Promise.all(Array.from({ length: 6 }, () => asserted(it.id, jwt)))
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    assert.deepEqual(statuses, [200, 401, 401, 401, 401, 401])
  }
})

test('an assertion must say when it was made, be short-lived and be meant for this server', async () => {
  const { privateKey, jwks } = await givenKey('ES256')
  const other = await givenKey('ES256')
  const it = await givenClient({ authMethod: 'private_key_jwt', jwks })
  const now = Math.floor(Date.now() / 1_000)
  const own = { iss: it.id, sub: it.id }
  const bad = {
    'no iat': await assertion(privateKey, { ...own, iat: undefined }),
    'made in the future': await assertion(privateKey, { ...own, iat: now + 90 }),
    'not valid yet': await assertion(privateKey, { ...own, nbf: now + 90 }),
    'an hour long': await assertion(privateKey, { ...own, exp: now + 3_600 }),
    expired: await assertion(privateKey, { ...own, exp: now - 60 }),
    'no id': await assertion(privateKey, { ...own, jti: undefined }),
    'another audience': await assertion(privateKey, { ...own, aud: 'https://evil.example' }),
    'another issuer': await assertion(privateKey, { ...own, iss: 'cli_other' }),
    'another key': await assertion(other.privateKey, own),
  }
  for (const [what, jwt] of Object.entries(bad)) {
    const { status, body } = await asserted(it.id, jwt)
    assert.deepEqual([status, body['error']], [401, 'invalid_client'], what)
  }
  assert.equal((await asserted(it.id, await assertion(privateKey, own))).status, 200)
})

test('what the token endpoint refuses, it refuses as an OAuth error', async () => {
  const it = await givenClient()
  const grant = await ask(it, { grant_type: 'password' })
  assert.deepEqual([grant.status, grant.body['error']], [400, 'unsupported_grant_type'])
  const code = await ask(it, { grant_type: 'authorization_code', code: 'x', redirect_uri: 'y' })
  assert.deepEqual([code.status, code.body['error']], [400, 'unauthorized_client'])
  const refresh = await ask(it, { grant_type: 'refresh_token', refresh_token: 'x' })
  assert.deepEqual([refresh.status, refresh.body['error']], [400, 'unauthorized_client'])
  const none = await ask(it, { grant_type: '' })
  assert.equal(none.body['error'], 'invalid_request')
  for (const [type, body] of [
    ['application/json', '{"grant_type":"client_credentials"}'],
    ['text/plain', 'grant_type=client_credentials'],
  ]) {
    const response = await fetch(`${issuer}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': type ?? '', ...basic(it.id, it.secret) },
      body: body ?? '',
    })
    assert.equal(response.status, 400)
    assert.equal(((await response.json()) as { error: string }).error, 'invalid_request')
  }
  const html = await post({}, { accept: 'text/html' })
  assert.equal(html.body['error'], 'invalid_request')
  const large = await post({ grant_type: 'client_credentials', padding: 'x'.repeat(100_000) })
  assert.equal(large.body['error'], 'invalid_request')
})

test('while the database is away a token request is told to come back', async () => {
  const it = await givenClient()
  databaseIsAway = true
  try {
    const { status, body, headers } = await ask(it)
    assert.deepEqual([status, body['error']], [503, 'temporarily_unavailable'])
    assert.equal(headers.get('retry-after'), '2')
  } finally {
    databaseIsAway = false
  }
  assert.equal((await ask(it)).status, 200)
})

function rawGet(path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(issuer)
    const read = (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks).toString()))
    }
    httpRequest({ hostname, port, path, headers }, read).on('error', reject).end()
  })
}

test('discovery speaks of the issuer, whatever the request says it was sent to', async () => {
  const forged = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    forwarded: 'host=evil.example;proto=https',
  }
  for (const path of [
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
  ]) {
    const honest = await rawGet(path, {})
    assert.equal(await rawGet(path, forged), honest)
    assert.equal(await rawGet(`http://evil.example${path}`, forged), honest, 'a whole URI')
    const metadata = JSON.parse(honest) as Record<string, unknown>
    assert.equal(metadata['issuer'], issuer)
    assert.equal(metadata['token_endpoint'], `${issuer}/oauth/token`)
    assert.equal(metadata['jwks_uri'], `${issuer}/oauth/jwks`)
    assert.deepEqual(metadata['grant_types_supported'], [
      'authorization_code',
      'refresh_token',
      'client_credentials',
    ])
    assert.equal(metadata['authorization_endpoint'], `${issuer}/oauth/authorize`)
    assert.deepEqual(metadata['response_types_supported'], ['code'])
    assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256'])
    assert.deepEqual(metadata['acr_values_supported'], ['ch:1', 'ch:2'])
    for (const endpoint of ['par', 'introspect', 'revoke', 'logout']) {
      assert.ok(honest.includes(`"${issuer}/oauth/${endpoint}"`), endpoint)
    }
    assert.doesNotMatch(honest, /RS256|HS256|none|evil|userinfo_endpoint|registration_endpoint/)
  }
})

test('the published keys are public, unique, and may be kept for five minutes', async () => {
  const response = await fetch(`${issuer}/oauth/jwks`)
  assert.equal(response.headers.get('cache-control'), 'public, max-age=300')
  const { keys } = (await response.json()) as { keys: Record<string, unknown>[] }
  assert.equal(keys.length, 1)
  for (const key of keys) {
    assert.deepEqual(Object.keys(key).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  }
})

test('only the endpoints in use are reached', async () => {
  assert.equal(await statusAt('/oauth/userinfo'), 404)
  assert.equal(await statusAt('/oauth/register', { method: 'POST' }), 404)
  assert.equal(await statusAt('/oauth/device', { method: 'POST' }), 404)
  assert.equal(await statusAt('/oauth/token'), 405)
  assert.equal(await statusAt('/oauth/jwks', { method: 'HEAD' }), 200)
})

test('a page of another origin cannot take a token, a page of ours can', async () => {
  const it = await givenClient()
  const fields = { grant_type: 'client_credentials' }
  const theirs = await post(fields, { ...basic(it.id, it.secret), origin: 'https://evil.example' })
  assert.equal(theirs.status, 400)
  assert.equal(theirs.headers.get('access-control-allow-origin'), null)
  const ours = await post(fields, { ...basic(it.id, it.secret), origin: issuer })
  assert.equal(ours.status, 200)
})

async function held(path: string, it: { id: string; secret: string }, token: unknown) {
  const response = await fetch(issuer + path, {
    method: 'POST',
    headers: basic(it.id, it.secret),
    body: new URLSearchParams({ token: String(token) }),
  })
  const text = await response.text()
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  return { status: response.status, body }
}

test('a client learns what a token is, of its own tenant and of no other', async () => {
  const [it, neighbour] = [await givenClient(), await givenClient()]
  const other = await inTransaction(database.pools.identity, (tx) =>
    createTenant(tx, { name: 'Other bank', mode: 'sandbox', at }),
  )
  const stranger = await givenClient({ tenantId: other.tenant_id })
  const token = (await ask(it, { scope: 'payments:read' })).body['access_token']
  for (const asker of [it, neighbour]) {
    const { status, body } = await held('/oauth/introspect', asker, token)
    assert.equal(status, 200)
    const { active, client_id, sub, scope, token_type, tid, exp } = body
    assert.deepEqual(
      { active, client_id, sub, scope, token_type, tid },
      {
        active: true,
        client_id: it.id,
        sub: it.id,
        scope: 'payments:read',
        token_type: 'Bearer',
        tid: tenantId,
      },
    )
    assert.ok(Number(exp) > Date.now() / 1_000)
  }
  const inactive = { status: 200, body: { active: false } }
  assert.deepEqual(await held('/oauth/introspect', stranger, token), inactive)
  assert.deepEqual(await held('/oauth/introspect', it, 'nonsense'), inactive)
  assert.deepEqual(await held('/oauth/introspect', it, `${String(token)}x`), inactive)
  const wrong = await held('/oauth/introspect', { ...it, secret: 'wrong' }, token)
  assert.deepEqual([wrong.status, wrong.body['error']], [401, 'invalid_client'])
})

test('a third party looks at its own tokens only', async () => {
  const app = await givenClient({ kind: 'third_party', scope: 'balance:read' })
  const theirs = (await ask(await givenClient())).body['access_token']
  const own = (await ask(app)).body['access_token']
  assert.deepEqual((await held('/oauth/introspect', app, theirs)).body, { active: false })
  assert.equal((await held('/oauth/introspect', app, own)).body['active'], true)
})

test('a client takes its token back, and nobody else does', async () => {
  const [it, neighbour] = [await givenClient(), await givenClient()]
  const token = (await ask(it)).body['access_token']
  assert.equal((await whoami(token)).status, 200)
  assert.deepEqual(await held('/oauth/revoke', neighbour, token), { status: 200, body: {} })
  assert.equal((await whoami(token)).status, 200)
  assert.deepEqual(await held('/oauth/revoke', it, token), { status: 200, body: {} })
  const { status, headers, body } = await whoami(token)
  assert.deepEqual([status, body['code']], [401, 'token_revoked'])
  assert.match(headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token"/)
  assert.deepEqual((await held('/oauth/introspect', it, token)).body, { active: false })
  assert.deepEqual(await held('/oauth/revoke', it, token), { status: 200, body: {} })
  assert.deepEqual(await held('/oauth/revoke', it, 'unknown'), { status: 200, body: {} })
})

test('keys are fetched from where the client publishes them', async () => {
  const { privateKey, jwks } = await givenKey('ES256')
  const published = createHttpServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks))
  })
  await new Promise<void>((resolve) => published.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = published.address() as AddressInfo
    const jwksUri = `http://127.0.0.1:${port}/jwks`
    const it = await givenClient({ authMethod: 'private_key_jwt', jwksUri })
    const found = await discovered(it.id, client.PrivateKeyJwt({ key: privateKey, kid: 'ES256' }))
    const answer = await client.clientCredentialsGrant(found)
    assert.equal((await whoami(answer.access_token)).body['id'], it.id)
  } finally {
    published.close()
  }
})

test('a token of another install is refused with a challenge', async () => {
  const { privateKey } = await givenKey('ES256')
  const { body } = await ask(await givenClient())
  const claims = decodeJwt(String(body['access_token']))
  const forged = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: server.keys.current()[0]?.kid ?? '' })
    .sign(privateKey)
  const { status, headers, body: problem } = await whoami(forged)
  assert.deepEqual([status, problem['code']], [401, 'token_invalid'])
  assert.match(headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token"/)
})

test('the endpoint issues hundreds of tokens a second', async (t) => {
  const it = await givenClient()
  const COUNT = 200
  const began = performance.now()
  let left = COUNT
  const worker = async () => {
    while (left > 0) {
      left -= 1
      assert.equal((await ask(it)).status, 200)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  const rate = COUNT / ((performance.now() - began) / 1_000)
  t.diagnostic(`${rate.toFixed(0)} tokens per second, client and server in one process`)
  assert.ok(rate > 10) // far below an idle machine, which other tests may keep busy
})

test('nothing above was printed or reported as an error', () => {
  assert.deepEqual(printed, [])
})
