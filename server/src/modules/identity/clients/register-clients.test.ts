import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  type Heard,
  type TestService,
  startServiceForTests,
} from '../../../../test/support/service.ts'
import { importJWK, SignJWT } from 'jose'
import { systemClock } from '../../../platform/clock.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { knownId, newId } from '../../../platform/ids.ts'
import { createClient } from './create-client.ts'
import { openKeyring } from '../signing-keys.ts'

let service: TestService
before(async () => {
  service = await startServiceForTests({ worker: false })
})
after(() => service?.close())

const backOffice = {
  name: 'Back office',
  grant_types: ['client_credentials'],
  scope: 'payments:read payments:write',
}

const jwks = {
  keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })],
}

const fapi = {
  name: 'Payment app',
  security_profile: 'fapi2',
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid transfer:write',
  redirect_uris: ['https://app.example/callback'],
  authorization_details_types: ['payment_initiation'],
  jwks,
}

function register(body: object, token?: string): Promise<Heard> {
  return service.call('POST', '/clients', { body, ...(token !== undefined && { token }) })
}

async function invalid(body: object): Promise<string> {
  const heard = await register(body)
  assert.deepEqual([heard.status, heard.body['code']], [422, 'client_invalid'])
  return String(heard.body['detail'])
}

test('a client is registered, shown its secret once, and can use it at once', async () => {
  const { status, headers, body } = await register(backOffice)
  assert.equal(status, 201, JSON.stringify(body))
  const { id, client_secret: secret, ...shown } = body as Record<string, string>
  assert.equal(headers.get('location'), `/clients/${id}`)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.match(String(secret), /^chs_sandbox_/)
  const again = await service.call('GET', `/clients/${id}`)
  assert.deepEqual(again.body, { id, ...shown })
  const token = await service.token({ client_id: String(id), client_secret: String(secret) })
  assert.equal((await service.call('GET', '/payments', { token })).status, 200)
})

test('nothing that is kept holds the secret: no row, no answer, no audit', async () => {
  const { body } = await register({ ...backOffice, name: 'Kept nowhere' })
  const secret = String(body['client_secret'])
  const { rows } = await service.database.pools.read.query<{ table: string }>(
    `select table_schema || '.' || table_name as table from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema in ('identity', 'audit', 'platform')`,
  )
  assert.ok(rows.length > 5)
  for (const { table } of rows) {
    const found = await service.database.pools.read.query(
      `select 1 from ${table} as kept where strpos(kept::text, $1) > 0`,
      [secret],
    )
    assert.equal(found.rows.length, 0, table)
  }
})

test('the audit names who registered which client', async () => {
  const { body } = await register({ ...backOffice, name: 'Audited' })
  const { rows } = await service.database.pools.read.query(
    `select actor_id, action, detail from audit.events where resource_id = $1`,
    [knownId(String(body['id']))],
  )
  const actor_id = service.credentials.clients.backoffice.client_id
  const detail = { kind: 'service', scope: backOffice.scope, security_profile: 'standard' }
  assert.deepEqual(rows, [{ actor_id, action: 'client.create', detail }])
})

test('nobody registers a client that may more than he does', async () => {
  const { client_id, client_secret } = (await register({
    ...backOffice,
    scope: 'clients:write payments:read',
  }).then(({ body }) => ({
    client_id: body['id'],
    client_secret: body['client_secret'],
  }))) as { client_id: string; client_secret: string }
  const token = await service.token({ client_id, client_secret })
  const more = await register(backOffice, token)
  assert.deepEqual([more.status, more.body['code']], [403, 'client_exceeds_caller'])
  assert.match(String(more.body['detail']), /payments:write/)
  const less = await register({ ...backOffice, scope: 'openid payments:read' }, token)
  assert.equal(less.status, 201)
  const reader = await register(backOffice, service.tokens.approver)
  assert.deepEqual([reader.status, reader.body['code']], [403, 'insufficient_scope'])
})

test('a fapi2 client is what the profile says', async () => {
  const { status, body } = await register(fapi)
  assert.equal(status, 201, JSON.stringify(body))
  assert.equal(body['require_pushed_authorization_requests'], true)
  assert.equal(body['dpop_bound_access_tokens'], true)
  assert.equal(body['token_endpoint_auth_method'], 'private_key_jwt')
  assert.equal(body['client_secret'], undefined)
})

test('a fapi2 client that lacks any of it is not registered', async () => {
  assert.match(await invalid({ ...fapi, require_pushed_authorization_requests: false }), /fapi2/)
  assert.match(await invalid({ ...fapi, dpop_bound_access_tokens: false }), /fapi2/)
  const { jwks: _jwks, ...keyless } = fapi
  assert.match(await invalid(keyless), /jwks/)
  for (const method of ['client_secret_basic', 'client_secret_post']) {
    const detail = await invalid({ ...keyless, token_endpoint_auth_method: method })
    assert.match(detail, /private_key_jwt/)
  }
  for (const uri of ['http://app.example/callback', 'http://127.0.0.1:9/callback']) {
    assert.match(await invalid({ ...fapi, redirect_uris: [uri] }), /https/)
  }
  assert.match(await invalid({ ...fapi, redirect_uris: [] }), /redirect_uris/)
})

test('an app gets what customers can grant, and exact addresses', async () => {
  const app = { ...fapi, security_profile: 'standard', jwks: undefined }
  assert.match(await invalid({ ...app, scope: 'openid payments:write' }), /customer cannot grant/)
  assert.match(await invalid({ ...app, redirect_uris: ['https://*.app.example/'] }), /wildcard/)
  assert.equal((await register({ ...app, redirect_uris: ['http://localhost:9/cb'] })).status, 201)
})

test('a claimed profile that the client would not have is refused', async () => {
  const standard = { ...backOffice, dpop_bound_access_tokens: true }
  assert.match(await invalid(standard), /standard/)
})

test('a client of another tenant is not there', async () => {
  const { body } = await register(backOffice)
  const heard = await service.call('GET', `/clients/${String(body['id'])}`, {
    token: service.tokens.stranger,
  })
  assert.deepEqual([heard.status, heard.body['code']], [404, 'client_not_found'])
})

test('clients are listed in pages, newest first', async () => {
  const first = await service.call('GET', '/clients?limit=2')
  const data = first.body['data'] as { id: string }[]
  assert.equal(data.length, 2)
  const cursor = String(first.body['next_cursor'])
  const second = await service.call('GET', `/clients?limit=200&cursor=${cursor}`)
  const rest = second.body['data'] as { id: string }[]
  const ids = [...data, ...rest].map(({ id }) => id)
  assert.deepEqual(ids, ids.toSorted().toReversed())
  assert.ok(ids.includes(service.credentials.clients.backoffice.client_id))
  assert.ok(!ids.includes(service.stranger.clients.backoffice.client_id))
})

test('a client shows when it last took a token', async () => {
  const { body } = await register({ ...backOffice, name: 'In use' })
  assert.equal(body['last_used_at'], null)
  const node = await service.startNode()
  const secret = Buffer.from(`${String(body['id'])}:${String(body['client_secret'])}`)
  await fetch(`${node.baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${secret.toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  await node.close()
  const seen = await service.call('GET', `/clients/${String(body['id'])}`)
  assert.ok(Date.parse(String(seen.body['last_used_at'])) > Date.now() - 60_000)
  assert.equal(seen.body['version'], 1)
})

test('an operator registers clients only soon after signing in with two factors', async () => {
  const { identity } = service.database.pools
  const keyring = await openKeyring(identity, { sealing: service.sealing, clock: systemClock })
  const [key] = keyring.current()
  assert.ok(key)
  const console = await inTransaction(identity, (tx) =>
    createClient(tx, {
      tenantId: service.tenantId,
      name: 'Console',
      kind: 'first_party',
      grantTypes: ['authorization_code'],
      scope: 'openid clients:write payments:read',
      authMethod: 'client_secret_basic',
      redirectUris: ['https://console.example/callback'],
      at: new Date(),
    }),
  )
  const now = Math.floor(Date.now() / 1_000)
  const asOperator = async (changes: object) => {
    const claims = {
      ...{ iss: service.baseUrl, aud: 'urn:countinghouse:api', iat: now, exp: now + 900 },
      ...{ jti: newId(new Date()), sub: 'usr_op', client_id: console.clientId, gid: 'grt_op' },
      ...{ tid: service.tenantId, env: 'sandbox', pid: newId(new Date()), acr: 'ch:2' },
      ...{ amr: ['pwd', 'otp'], auth_time: now, scope: 'clients:write payments:read', ...changes },
    }
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
      .sign(await importJWK({ ...key.privateJwk }, 'ES256'))
    return await register({ ...backOffice, scope: 'payments:read' }, token)
  }
  assert.equal((await asOperator({})).status, 201)
  for (const changes of [{ acr: 'ch:1' }, { auth_time: now - 301 }]) {
    const { status, headers, body } = await asOperator(changes)
    assert.deepEqual([status, body['code']], [401, 'insufficient_user_authentication'])
    const challenge = headers.get('www-authenticate') ?? ''
    assert.match(challenge, /acr_values="ch:2", max_age="300"$/)
  }
})
