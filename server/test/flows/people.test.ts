import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { knownId, newId } from '../../src/platform/ids.ts'
import { type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService

before(async () => {
  service = await startServiceForTests({ worker: false })
})
after(() => service?.close())

test('the bank makes a customer, and shows the secrets this once', async () => {
  const body = { username: 'ada', display_name: 'Ada Customer', totp: true }
  const made = await service.call('POST', '/customers', { body })
  assert.equal(made.status, 201)
  const { id, password, totp_secret: secret, totp_uri: uri } = made.body
  assert.match(String(password), /^[a-z0-9]{5}(-[a-z0-9]{5}){3}$/)
  assert.match(String(secret), /^[A-Z2-7]{32}$/)
  assert.match(String(uri), /^otpauth:\/\/totp\//)
  const read = await service.call('GET', `/customers/${String(id)}`)
  assert.equal(read.status, 200)
  assert.deepEqual(read.body['factors'], ['password', 'totp'])
  const list = await service.call('GET', '/customers')
  const text = JSON.stringify([read.body, list.body])
  assert.ok(text.includes(String(id)))
  for (const gone of [password, secret, 'argon2', 'hash']) {
    assert.equal(text.includes(String(gone)), false)
  }
  const again = await service.call('POST', '/customers', { body })
  assert.deepEqual([again.status, again.body['code']], [409, 'username_taken'])
})

test('a password that is guessed first is refused, with the reason', async () => {
  const body = { username: 'grace', display_name: 'Grace', password: 'Password2026!!' }
  const { status, body: problem } = await service.call('POST', '/customers', { body })
  assert.deepEqual([status, problem['code']], [422, 'password_too_weak'])
  assert.match(String(problem['detail']), /tried first/)
})

test('an operator always has a second factor, and uses no password twice', async () => {
  const body = { username: 'joan', display_name: 'Joan', roles: ['maker'] }
  const made = await service.call('POST', '/operators', { body })
  assert.deepEqual([made.status, made.body['factors']], [201, ['password', 'totp']])
  const path = `/operators/${String(made.body['id'])}/password`
  const password = 'green lamp over river'
  assert.equal((await service.call('POST', path, { body: { password } })).status, 200)
  const reused = await service.call('POST', path, { body: { password } })
  assert.deepEqual([reused.status, reused.body['code']], [422, 'password_used_before'])
  const unknownRole = await service.call('POST', '/operators', { body: { ...body, roles: ['x'] } })
  assert.equal(unknownRole.status, 400)
})

test('people of another tenant, and operators among customers, are not found', async () => {
  const { customers } = service.credentials
  const list = await service.call('GET', '/customers?limit=200')
  const rows = list.body['data'] as { id: string; username: string }[]
  const sample = rows.find(({ username }) => username === customers[0]?.username)
  assert.ok(sample)
  for (const [method, path] of [
    ['GET', `/customers/${sample.id}`],
    ['POST', `/customers/${sample.id}/password`],
    ['POST', `/customers/${sample.id}/totp`],
    ['POST', `/customers/${sample.id}/disable`],
  ] as const) {
    const theirs = await service.call(method, path, { token: service.tokens.stranger })
    assert.deepEqual([theirs.status, theirs.body['code']], [404, 'user_not_found'], path)
    const misplaced = path.replace('/customers/', '/operators/')
    assert.equal((await service.call(method, misplaced)).status, 404)
  }
  assert.equal((await service.call('GET', `/customers/${sample.id}`)).body['status'], 'active')
})

test('a customer is kept out and let in again', async () => {
  const body = { username: 'edsger', display_name: 'Edsger' }
  const { id } = (await service.call('POST', '/customers', { body })).body
  const out = await service.call('POST', `/customers/${String(id)}/disable`)
  assert.deepEqual([out.status, out.body['status']], [200, 'disabled'])
  const back = await service.call('POST', `/customers/${String(id)}/enable`)
  assert.deepEqual([back.status, back.body['status']], [200, 'active'])
})

test('the bank lists the passkeys of a customer and removes one, not those of strangers', async () => {
  const body = { username: 'barbara', display_name: 'Barbara' }
  const id = String((await service.call('POST', '/customers', { body })).body['id'])
  const path = `/customers/${id}/passkeys`
  const none = await service.call('GET', path)
  assert.deepEqual([none.status, none.body['data']], [200, []])
  await service.database.pools.identity.query(
    `insert into identity.passkeys (tenant_id, user_id, passkey_id, rp_id, credential_id, public_key,
       sign_count, is_synced, name, created_at)
     values ($1, $2, $3, 'bank.example', '\\x01', '\\x02', 7, true, 'My phone', now())`,
    [service.tenantId, knownId(id), newId(new Date())],
  )
  const list = await service.call('GET', path)
  const [passkey] = list.body['data'] as { id: string }[]
  assert.ok(passkey)
  assert.match(passkey.id, /^psk_/)
  const text = JSON.stringify(list.body)
  assert.match(text, /"name":"My phone","domain":"bank\.example","synced":true/)
  assert.doesNotMatch(
    text,
    /public_key|credential|sign_count|transports/,
    'what is only for us stays with us',
  )
  const read = await service.call('GET', `/customers/${id}`)
  assert.deepEqual(read.body['factors'], ['passkey', 'password'])

  const one = `${path}/${passkey.id}`
  const { stranger } = service.tokens
  for (const [method, where, token] of [
    ['GET', path, stranger],
    ['DELETE', one, stranger],
    ['DELETE', one.replace('/customers/', '/operators/'), undefined],
  ] as const) {
    const heard = await service.call(method, where, { ...(token && { token }) })
    assert.deepEqual([heard.status, heard.body['code']], [404, 'user_not_found'], where)
  }
  assert.equal((await service.call('DELETE', one)).status, 204)
  const again = await service.call('DELETE', one)
  assert.deepEqual([again.status, again.body['code']], [404, 'passkey_not_found'])
  assert.deepEqual((await service.call('GET', path)).body['data'], [])
})
