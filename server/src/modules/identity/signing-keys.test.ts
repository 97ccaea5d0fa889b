import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import { sealingUnder } from '../../platform/crypto/sealing.ts'
import { StartError } from '../../platform/start-error.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { openKeyring } from './signing-keys.ts'

const sealing = sealingUnder(randomBytes(32))
const clock = { at: new Date('2026-11-23T09:00:00Z'), now: () => clock.at }
let database: TestDatabase

before(async () => {
  database = await createTestDatabase()
})
beforeEach(async () => {
  await onOwner('truncate identity.signing_keys')
})
after(() => database?.close())

async function onOwner(text: string, values: unknown[] = []) {
  const owner = new pg.Client(database.connection)
  await owner.connect()
  try {
    return (await owner.query(text, values)).rows as Record<string, unknown>[]
  } finally {
    await owner.end()
  }
}

function openOne() {
  return openKeyring(database.pools.identity, { sealing, clock })
}

test('the first start makes a key, the next one finds it', async () => {
  const first = (await openOne()).current()
  assert.equal(first.length, 1)
  assert.deepEqual(
    (await openOne()).current().map(({ kid }) => kid),
    first.map(({ kid }) => kid),
  )
})

test('nodes that start together on an empty database end with one key', async () => {
  const rings = await Promise.all(Array.from({ length: 6 }, openOne))
  const kids = rings.map((ring) => ring.current().map(({ kid }) => kid))
  assert.equal(new Set(kids.flat()).size, 1)
  assert.equal((await onOwner('select 1 from identity.signing_keys')).length, 1)
})

test('the database holds the private half only under seal', async () => {
  const [key] = (await openOne()).current()
  const [row] = await onOwner(`select public_jwk, sealed_private_jwk from identity.signing_keys`)
  const sealed = row?.['sealed_private_jwk'] as Buffer
  assert.equal(sealed.includes(key?.privateJwk.d ?? ''), false)
  assert.deepEqual(Object.keys(row?.['public_jwk'] as object).toSorted(), [
    'crv',
    'kid',
    'kty',
    'x',
    'y',
  ])
})

test('a start under another root key says which one is missing', async () => {
  await openOne()
  const other = sealingUnder(randomBytes(32))
  await assert.rejects(openKeyring(database.pools.identity, { sealing: other, clock }), (error) => {
    assert.ok(error instanceof StartError)
    assert.match(error.message, /root key/)
    return true
  })
})

test('a key sealed for one row does not open in another', async () => {
  await openOne()
  await onOwner(`update identity.signing_keys set kid = 'moved'`)
  await assert.rejects(openOne(), StartError)
})

test('a key that another node made is found when a token names it, asked for every 10 s at most', async () => {
  const here = await openOne()
  const [first] = here.current()
  await onOwner('delete from identity.signing_keys')
  const [elsewhere] = (await openOne()).current()
  const kid = elsewhere?.kid ?? ''
  assert.equal(await here.verifier(kid), undefined)
  clock.at = new Date(clock.at.getTime() + 10_000)
  const found = await Promise.all([here.verifier(kid), here.verifier(kid), here.verifier('forged')])
  assert.deepEqual(
    found.map((key) => key !== undefined),
    [true, true, false],
  )
  assert.notEqual(here.current()[0]?.kid, first?.kid)
})
