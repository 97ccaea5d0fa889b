import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId, publicId } from '../../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { type PeopleWorld, openPeopleWorld } from '../../../../test/support/people-world.ts'
import { type Said, softAuthenticator } from '../../../../test/support/soft-authenticator.ts'
import { actorOf } from '../users/sign-in.ts'
import type { UserRow } from '../users/user.queries.ts'
import {
  changeFault,
  creationOptions,
  enrolOwnPasskey,
  listOwnPasskeys,
  removeOwnPasskey,
} from './own-passkeys.ts'
import { newSignInChallenge } from './passkey-challenge.ts'

const issuer = 'https://bank.example'
const at = new Date('2026-11-23T09:00:00Z')
let database: TestDatabase
let world: PeopleWorld

before(async () => {
  database = await createTestDatabase()
  world = await openPeopleWorld(database)
})
after(() => database?.close())

const parts = () => ({ issuer, pool: database.pools.identity })

function requestOf(user: UserRow) {
  const { tenant_id: tenantId, kind } = user
  const actor = actorOf({ tenantId, kind, origin: '198.51.100.7' }, user)
  return { user, actor, requestId: publicId('req', newId(at)), at }
}

async function challengeOf(user: UserRow): Promise<string> {
  const existing = await listOwnPasskeys(parts(), user)
  const options = await creationOptions(parts(), { user, bank: 'Test bank', at }, existing)
  return (options as { challenge: string }).challenge
}

/** Makes a passkey; answers what the person is told and what was recorded. */
async function enrolled(user: UserRow, said: Partial<Said> & { readonly challenge: string }) {
  const response = softAuthenticator().enrol({ origin: issuer, ...said })
  return await sent(user, response)
}

async function sent(user: UserRow, response: string, name = 'My phone') {
  const request = requestOf(user)
  const told = await enrolOwnPasskey(parts(), request, { response, name })
  const { rows } = await database.pools.read.query<{ outcome: string; reason: string | null }>(
    `select outcome, reason from audit.events
      where request_id = $1 and action = 'user.enrol_passkey' and resource_id = $2`,
    [request.requestId, user.user_id],
  )
  return { told, recorded: rows }
}

test('a passkey is enrolled once, named, listed and kept out of the next one', async () => {
  const user = await world.givenUser()
  const device = softAuthenticator()
  const challenge = await challengeOf(user)
  const response = device.enrol({ origin: issuer, challenge })
  const first = await sent(user, response, '  My\n phone ')
  assert.deepEqual(first, { told: true, recorded: [{ outcome: 'success', reason: null }] })
  const again = await sent(user, response)
  const over = [{ outcome: 'refused', reason: 'passkey_challenge_over' }]
  assert.deepEqual(again, { told: 'passkey_not_accepted', recorded: over })
  const rows = await listOwnPasskeys(parts(), user)
  assert.deepEqual(
    rows.map(({ name, rp_id: rpId }) => [name, rpId]),
    [['My phone', 'bank.example']],
  )
  const options = await creationOptions(parts(), { user, bank: 'Test bank', at }, rows)
  const { excludeCredentials: known, ...asked } = options as {
    excludeCredentials: { id: string }[]
    authenticatorSelection: object
  }
  assert.deepEqual(
    known.map(({ id }) => id),
    [device.credentialId.toString('base64url')],
  )
  assert.deepEqual(asked.authenticatorSelection, {
    residentKey: 'required',
    requireResidentKey: true,
    userVerification: 'required',
  })
})

test('nothing is enrolled from another origin, without its owner, or for somebody else', async () => {
  const [user, other] = [await world.givenUser(), await world.givenUser()]
  for (const change of [
    { origin: 'https://evil.example' },
    { origin: 'https://evil.example', rpId: 'bank.example' },
    { isVerified: false },
  ]) {
    const { told, recorded } = await enrolled(user, {
      challenge: await challengeOf(user),
      ...change,
    })
    assert.equal(told, 'passkey_not_accepted', JSON.stringify(change))
    assert.deepEqual(recorded, [{ outcome: 'refused', reason: 'passkey_unproven' }])
  }
  const toSignIn = await newSignInChallenge(database.pools.identity, user.tenant_id, at)
  for (const challenge of [await challengeOf(other), toSignIn]) {
    const { told, recorded } = await enrolled(user, { challenge })
    assert.equal(told, 'passkey_not_accepted')
    assert.deepEqual(recorded, [{ outcome: 'refused', reason: 'passkey_challenge_over' }])
  }
  assert.equal((await sent(user, 'no answer')).told, 'passkey_not_accepted')
  assert.deepEqual(await listOwnPasskeys(parts(), user), [])
})

test('a person removes his own passkey and nobody else’s', async () => {
  const [user, other] = [await world.givenUser(), await world.givenUser()]
  await enrolled(user, { challenge: await challengeOf(user) })
  const [row] = await listOwnPasskeys(parts(), user)
  assert.ok(row)
  const stranger = await removeOwnPasskey(parts(), requestOf(other), row.passkey_id)
  assert.equal(stranger, 'passkey_not_found')
  assert.equal(await removeOwnPasskey(parts(), requestOf(user), row.passkey_id), true)
  assert.deepEqual(await listOwnPasskeys(parts(), user), [])
})

test('a change takes a sign-in of the last five minutes, with two factors in a live tenant', () => {
  const visit = (
    mode: 'sandbox' | 'live',
    acr: 'ch:1' | 'ch:2' | 'ch:phr',
    ageS: number,
    at_ = issuer,
  ) => {
    const signedInAt = new Date(at.getTime() - ageS * 1_000)
    return changeFault(at_, { mode, level: { acr, amr: [] }, signedInAt, at })
  }
  assert.equal(visit('sandbox', 'ch:1', 300), undefined)
  assert.equal(visit('sandbox', 'ch:1', 301), 'sign_in_again')
  assert.equal(visit('live', 'ch:1', 0), 'second_factor_needed')
  assert.equal(visit('live', 'ch:2', 300), undefined)
  assert.equal(visit('live', 'ch:phr', 300), undefined)
  assert.equal(visit('live', 'ch:phr', 301), 'sign_in_again')
  assert.equal(visit('sandbox', 'ch:2', 0, 'http://127.0.0.1:4000'), 'impossible')
})
