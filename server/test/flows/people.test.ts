import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
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
