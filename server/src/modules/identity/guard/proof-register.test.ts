import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { openProofRegister } from './proof-register.ts'

const soon = new Date(Date.now() + 60_000)
let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(() => database?.close())

function newId(): string {
  return randomBytes(32).toString('hex')
}

test('of eight parallel uses on two nodes exactly one counts, fifty times', async () => {
  const nodes = [0, 1].map(() => openProofRegister(database.pools.identity))
  for (let round = 0; round < 50; round += 1) {
    const id = newId()
    const uses = [0, 1, 2, 3].flatMap(() => nodes.map((node) => node.isNew(id, soon)))
    const counted = (await Promise.all(uses)).filter(Boolean)
    assert.equal(counted.length, 1, `round ${round}`)
  }
})

test('those in flight together are written together, each with its own answer', async () => {
  const register = openProofRegister(database.pools.identity)
  const used = newId()
  await register.isNew(used, soon)
  const ids = Array.from({ length: 700 }, newId)
  const answers = await Promise.all([used, ...ids].map((id) => register.isNew(id, soon)))
  assert.deepEqual(answers, [false, ...ids.map(() => true)])
})

test('without the database no proof is new and none is used: the caller hears of it', async () => {
  const away = { connect: () => Promise.reject(new Error('the database is away')) }
  const register = openProofRegister(away as unknown as typeof database.pools.identity)
  await assert.rejects(register.isNew(newId(), soon), /away/)
  await assert.rejects(register.isNew(newId(), soon), /away/)
})
