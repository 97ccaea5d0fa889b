import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import {
  type Heard,
  type TestNode,
  type TestService,
  startServiceForTests,
} from '../../../../test/support/service.ts'

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

interface Made {
  readonly client_id: string
  readonly client_secret: string
}

async function givenClient(scope = 'payments:read payments:write'): Promise<Made> {
  const body = { name: 'Back office', grant_types: ['client_credentials'], scope }
  const heard = await service.call('POST', '/clients', { body })
  return { client_id: String(heard.body['id']), client_secret: String(heard.body['client_secret']) }
}

function patch(id: string, body: object, more: object = {}): Promise<Heard> {
  return service.call('PATCH', `/clients/${id}`, { body, ...more })
}

/** The status of a read by this token on the other node. */
async function elsewhere(token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return (await fetch(`${node.baseUrl}/payments`, { headers })).status
}

async function refusedWithin(ms: number, token: string): Promise<number> {
  const began = performance.now()
  for (;;) {
    const status = await elsewhere(token)
    const took = performance.now() - began
    if (status === 401) return took
    assert.ok(took < ms, `still let in after ${took.toFixed(0)} ms`)
    await sleep(20)
  }
}

test('a disabled client is refused on another node within a second, and gets no token', async (t) => {
  const client = await givenClient()
  const token = await service.token(client)
  assert.equal(await elsewhere(token), 200)
  const disabled = await patch(client.client_id, { status: 'disabled' })
  assert.deepEqual([disabled.status, disabled.body['status']], [200, 'disabled'])
  t.diagnostic(`refused after ${(await refusedWithin(1_000, token)).toFixed(0)} ms`)
  await assert.rejects(service.token(client), /no token: 401/)
  const enabled = await patch(client.client_id, { status: 'active' })
  assert.equal(enabled.status, 200)
  await sleep(1_000)
  assert.equal(await elsewhere(token), 401, 'an old token stays refused')
  assert.equal(await elsewhere(await service.token(client)), 200)
})

test('a scope that is taken away ends the tokens that hold it, and a new one is without', async () => {
  const client = await givenClient()
  const token = await service.token(client)
  await elsewhere(token)
  assert.equal((await patch(client.client_id, { scope: 'payments:read' })).status, 200)
  await refusedWithin(1_000, token)
  await sleep(3_000) // as long as another node may have issued tokens by what it knew
  const fresh = await service.token(client)
  assert.equal(await elsewhere(fresh), 200)
  const write = await service.call('POST', '/payments', { token: fresh, body: {} })
  assert.notEqual(write.status, 201)
})

test('a scope that is given ends no token', async () => {
  const client = await givenClient('payments:read')
  const token = await service.token(client)
  await patch(client.client_id, { scope: 'payments:read payments:write', name: 'Renamed' })
  await sleep(1_000)
  assert.equal(await elsewhere(token), 200)
})

test('what the rules forbid is refused and changes nothing', async () => {
  const { client_id: id } = await givenClient()
  const before = await service.call('GET', `/clients/${id}`)
  for (const body of [
    { redirect_uris: ['https://app.example/'] },
    { scope: 'payments:everything' },
    { jwks_uri: 'https://app.example/jwks' },
    { grant_types: ['refresh_token'] },
  ]) {
    const { status, body: problem } = await patch(id, body)
    assert.deepEqual([status, problem['code']], [422, 'client_invalid'], JSON.stringify(body))
  }
  assert.deepEqual((await service.call('GET', `/clients/${id}`)).body, before.body)
})

test('nobody changes a client that may more than he does, but anybody may disable it', async () => {
  const strong = await givenClient('payments:read payments:write')
  const weak = await service.token(await givenClient('clients:write payments:read'))
  for (const body of [{ name: 'Mine' }, { scope: 'payments:write' }]) {
    const { status, body: problem } = await patch(strong.client_id, body, { token: weak })
    assert.deepEqual([status, problem['code']], [403, 'client_exceeds_caller'])
  }
  const disabled = await patch(strong.client_id, { status: 'disabled' }, { token: weak })
  assert.equal(disabled.status, 200)
  const enabled = await patch(strong.client_id, { status: 'active' }, { token: weak })
  assert.equal(enabled.status, 403)
})

test('a patch that changes nothing is no version; If-Match holds back a late one', async () => {
  const { client_id: id } = await givenClient()
  const same = await patch(id, { name: 'Back office', scope: 'payments:read payments:write' })
  assert.equal(same.body['version'], 1)
  const etag = String((await service.call('GET', `/clients/${id}`)).headers.get('etag'))
  const headers = { 'if-match': etag }
  assert.equal((await patch(id, { name: 'One' }, { headers })).body['version'], 2)
  const late = await patch(id, { name: 'Two' }, { headers })
  assert.deepEqual([late.status, late.body['code']], [412, 'version_conflict'])
})

test('two changes of one client at once both count', async () => {
  const { client_id: id } = await givenClient()
  await Promise.all([patch(id, { name: 'Twice' }), patch(id, { scope: 'payments:read' })])
  const { body } = await service.call('GET', `/clients/${id}`)
  assert.deepEqual([body['name'], body['scope'], body['version']], ['Twice', 'payments:read', 3])
})

test("another tenant's client is not there to be changed", async () => {
  const { client_id: id } = await givenClient()
  const { status } = await patch(id, { name: 'Mine' }, { token: service.tokens.stranger })
  assert.equal(status, 404)
})
