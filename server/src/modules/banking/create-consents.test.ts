import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BankingWorld, startBankingWorld } from '../../../test/support/banking-world.ts'

let world: BankingWorld
let app: string
before(async () => {
  world = await startBankingWorld()
  app = world.givenActor('app', { tenantId: world.home.id, clientId: 'cli_app' })
})
after(() => world.close())

const ask = (body: object, actor = app) => world.call(actor, 'POST', '/api/consents', { body })

test('an app says what it will ask for; nobody has consented yet', async () => {
  const made = await ask({
    permissions: ['balance:read', 'transfer:write'],
    limits: { max_amount: 500, per_month: null },
    transactions_from: '2026-01-01T00:00:00Z',
  })
  assert.equal(made.status, 201, made.text)
  const { body } = made
  assert.deepEqual(
    [body['status'], body['iso_status'], body['client_id'], body['user_id'], body['account_ids']],
    ['awaiting_authorisation', 'AWAU', 'cli_app', null, []],
  )
  assert.deepEqual(body['limits'], {
    max_amount: 500,
    per_day: 200_000,
    per_month: null,
    count_per_day: 20,
  })
  const read = await world.call(app, 'GET', `/api/consents/${body['id']}`)
  assert.deepEqual(read.body, body)
  const foreign = world.givenActor('other', { tenantId: world.home.id, clientId: 'cli_other' })
  assert.equal((await world.call(foreign, 'GET', `/api/consents/${body['id']}`)).status, 404)
})

test('it stands for 180 days at most', async () => {
  const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  const permissions = ['balance:read']
  assert.equal((await ask({ permissions, valid_until: at(179) })).status, 201)
  for (const valid_until of [at(181), at(-1)]) {
    const heard = await ask({ permissions, valid_until })
    assert.deepEqual([heard.status, heard.body['code']], [422, 'consent_terms_invalid'])
  }
})

test('what no customer can grant is not asked for', async () => {
  for (const permissions of [
    ['payments:write'],
    [],
    ['openid'],
    ['balance:read', 'balance:read'],
  ]) {
    assert.equal((await ask({ permissions })).status, 400)
  }
  const limits = { max_amount: 0 }
  assert.equal((await ask({ permissions: ['transfer:write'], limits })).status, 400)
})

test('an app lists its own and its customer’s; the bank lists all', async () => {
  const { anna, bert } = world.home
  const made = (await ask({ permissions: ['balance:read'] })).body['id'] as string
  const annas = await world.givenConsent(anna, [])
  const berts = await world.givenConsent(bert, [])
  const other = await world.givenConsent(anna, [], { clientId: 'cli_other' })
  const ids = async (actor: string) => {
    const { body } = await world.call(actor, 'GET', '/api/consents?limit=200')
    return new Set((body['data'] as { id: string }[]).map(({ id }) => id))
  }
  const [seen, all] = [await ids(annas.actor), await ids('cli_bank')]
  assert.deepEqual(
    [made, annas.id, berts.id, other.id].map((id) => [seen.has(id), all.has(id)]),
    [
      [true, true],
      [true, true],
      [false, true],
      [false, true],
    ],
  )
  assert.equal((await ids('cli_bank_abroad')).has(annas.id), false)
})
