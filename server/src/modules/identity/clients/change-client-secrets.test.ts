import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import {
  type Heard,
  type TestNode,
  type TestService,
  startServiceForTests,
} from '../../../../test/support/service.ts'
import { hashSecret } from './client-secret.ts'

let service: TestService
let node: TestNode
before(async () => {
  service = await startServiceForTests({ worker: false })
  node = await service.startNode()
})
after(async () => {
  await node?.close()
  await service?.close()
})

async function givenClient(more: object = {}) {
  const body = {
    name: 'Back office',
    grant_types: ['client_credentials'],
    scope: 'payments:read',
    ...more,
  }
  const heard = await service.call('POST', '/clients', { body })
  return { id: String(heard.body['id']), secret: String(heard.body['client_secret']) }
}

function addSecret(id: string, more: object = {}): Promise<Heard> {
  return service.call('POST', `/clients/${id}/secrets`, more)
}

function retire(id: string, secretId: unknown): Promise<Heard> {
  return service.call('DELETE', `/clients/${id}/secrets/${String(secretId)}`)
}

/** Whether the secret opens, on the other node. */
async function opens(id: string, secret: string): Promise<boolean> {
  const basic = Buffer.from(`${id}:${secret}`).toString('base64')
  const { status } = await fetch(`${node.baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  return status === 200
}

test('two secrets work side by side until the older one is retired', async () => {
  const { id, secret: old } = await givenClient()
  assert.ok(await opens(id, old))
  const added = await addSecret(id)
  assert.equal(added.status, 201)
  assert.equal(added.headers.get('cache-control'), 'no-store')
  const fresh = String(added.body['client_secret'])
  await sleep(1_000)
  assert.deepEqual([await opens(id, old), await opens(id, fresh)], [true, true])
  const { body } = await service.call('GET', `/clients/${id}`)
  const secrets = body['secrets'] as { id: string }[]
  assert.deepEqual(secrets[0], { id: added.body['id'] })
  assert.equal((await retire(id, secrets[1]?.id)).status, 200)
  await sleep(1_000)
  assert.deepEqual([await opens(id, old), await opens(id, fresh)], [false, true])
})

test('a change of secrets ends no live token', async () => {
  const { id, secret } = await givenClient()
  const token = await service.token({ client_id: id, client_secret: secret })
  const { body } = await service.call('GET', `/clients/${id}`)
  await addSecret(id)
  await retire(id, (body['secrets'] as { id: string }[])[0]?.id)
  await sleep(1_000)
  assert.equal((await service.call('GET', '/payments', { token })).status, 200)
})

test('the hash that is kept is no secret', async () => {
  const { id, secret } = await givenClient()
  assert.equal(await opens(id, hashSecret(secret)), false)
})

test('a third secret, the end of the only one and an unknown one are refused', async () => {
  const { id } = await givenClient()
  const { body } = await service.call('GET', `/clients/${id}`)
  const only = (body['secrets'] as { id: string }[])[0]?.id
  const last = await retire(id, only)
  assert.deepEqual([last.status, last.body['code']], [409, 'client_secret_needed'])
  await addSecret(id)
  const third = await addSecret(id)
  assert.deepEqual([third.status, third.body['code']], [409, 'client_secrets_full'])
  assert.equal((await retire(id, only)).status, 200)
  const twice = await retire(id, only)
  assert.deepEqual([twice.status, twice.body['code']], [404, 'client_secret_not_found'])
})

test('a client with keys has no secret', async () => {
  const key = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const jwks = { keys: [key] }
  const { id } = await givenClient({ token_endpoint_auth_method: 'private_key_jwt', jwks })
  const { status, body } = await addSecret(id)
  assert.deepEqual([status, body['code']], [422, 'client_invalid'])
})

test('nobody takes over a stronger client by giving it a secret', async () => {
  const { id } = await givenClient({ scope: 'payments:read payments:write' })
  const weak = await givenClient({ scope: 'clients:write payments:read' })
  const token = await service.token({ client_id: weak.id, client_secret: weak.secret })
  const { status, body } = await addSecret(id, { token })
  assert.deepEqual([status, body['code']], [403, 'client_exceeds_caller'])
  const foreign = await addSecret(id, { token: service.tokens.stranger })
  assert.equal(foreign.status, 404)
})
