import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sealingUnder } from '../../../platform/crypto/sealing.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { newId, publicId } from '../../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { type PeopleWorld, openPeopleWorld } from '../../../../test/support/people-world.ts'
import {
  type Said,
  type SoftAuthenticator,
  softAuthenticator,
} from '../../../../test/support/soft-authenticator.ts'
import type { UserKind, UserRow } from '../users/user.queries.ts'
import { checkPasskey } from './check-passkey.ts'
import { enrolPasskeys } from './enrol-passkeys.ts'
import { CHALLENGE_MS, newEnrolmentChallenge, newSignInChallenge } from './passkey-challenge.ts'
import { readAssertion } from './passkey-response.ts'
import { listPasskeys } from './passkey.queries.ts'
import { userHandle } from './user-handle.ts'

const issuer = 'https://bank.example'
const at = new Date('2026-11-23T09:00:00Z')
const later = (ms: number) => new Date(at.getTime() + ms)
let database: TestDatabase
let world: PeopleWorld

before(async () => {
  database = await createTestDatabase()
  world = await openPeopleWorld(database)
})
after(() => database?.close())

interface Owner {
  readonly user: UserRow
  readonly device: SoftAuthenticator
}

async function givenOwner(kind: UserKind = 'customer', rpId = 'bank.example'): Promise<Owner> {
  const user = await world.givenUser(kind)
  const device = softAuthenticator()
  const { credentialId, publicKey } = device
  const key = { rpId, credentialId, publicKey, count: 5, isSynced: false, transports: [] }
  const input = { userId: user.user_id, passkeyId: newId(at), key, name: 'phone' }
  assert.deepEqual(await world.run(enrolPasskeys, [input]), ['ok'])
  return { user, device }
}

async function challenged(): Promise<string> {
  return await newSignInChallenge(database.pools.identity, world.tenantId, at)
}

interface Try {
  /** Given to the page. Default: the one that was signed. */
  readonly challenge?: string
  readonly at?: Date
  readonly origin?: string
}

/** What becomes of an answer, and why. */
async function tried({ user }: Owner, response: string, more: Try = {}) {
  const { pools } = database
  const parts = { issuer, pool: pools.identity, sealing: sealingUnder(randomBytes(32)) }
  const { tenant_id: tenantId, kind, username } = user
  const requestId = publicId('req', newId(at))
  const origin = more.origin ?? '198.51.100.7'
  const attempt = { tenantId, kind, username, origin, requestId, at: more.at ?? at }
  const challenge = more.challenge ?? readAssertion(response)?.challenge ?? ''
  const signed = { response, challenge }
  const step = await checkPasskey(parts, { ...attempt, clientId: 'cli_test' }, signed)
  const { rows } = await pools.read.query<{ outcome: string; reason: string | null }>(
    `select outcome, reason from audit.events where request_id = $1`,
    [requestId],
  )
  return { step, audited: rows }
}

function said(challenge: string, more: Partial<Said> = {}): Said {
  return { challenge, origin: issuer, count: 6, ...more }
}

async function because(owner: Owner, response: string, more: Try = {}): Promise<string | null> {
  const { step, audited } = await tried(owner, response, more)
  assert.equal(step.kind, 'refused')
  assert.equal(audited.length, 1)
  assert.equal(audited[0]?.outcome, 'refused')
  return audited[0]?.reason ?? null
}

test('a passkey alone is enough, for a customer and for an operator', async () => {
  for (const kind of ['customer', 'operator'] as const) {
    const owner = await givenOwner(kind)
    const handle = userHandle(owner.user.user_id)
    const answer = owner.device.signIn(said(await challenged(), { userHandle: handle }))
    const { step, audited } = await tried(owner, answer)
    assert.ok(step.kind === 'signed_in')
    assert.deepEqual(step.level, { acr: 'ch:phr', amr: ['hwk', 'user', 'mfa'] })
    assert.equal(step.user.user_id, owner.user.user_id)
    assert.deepEqual(audited, [{ outcome: 'success', reason: null }])
    const db = databaseOver(database.pools.identity)
    const [row] = await listPasskeys(db, world.tenantId, [owner.user.user_id])
    assert.deepEqual([row?.sign_count, row?.last_used_at], [6n, at])
  }
})

test('an answer counts once, also when it comes eight times together', async () => {
  const owner = await givenOwner()
  const answer = owner.device.signIn(said(await challenged()))
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, at) => tried(owner, answer, { origin: `198.51.100.${at}` })),
  )
  const kinds = all.map(({ step }) => step.kind).toSorted()
  assert.deepEqual(kinds, [...Array.from({ length: 7 }, () => 'refused'), 'signed_in'])
  assert.equal(await because(owner, answer), 'passkey_challenge_over')
})

test('a challenge is good for its own page, to sign in, for three minutes', async () => {
  const owner = await givenOwner()
  const [here, there] = [await challenged(), await challenged()]
  const signed = owner.device.signIn(said(here))
  assert.equal(await because(owner, signed, { challenge: there }), 'passkey_challenge_foreign')
  const late = { at: later(CHALLENGE_MS) }
  assert.equal(await because(owner, signed, late), 'passkey_challenge_over')
  const { tenant_id: tenantId, user_id: userId } = owner.user
  const { identity } = database.pools
  const toEnrol = await newEnrolmentChallenge(identity, { tenantId, userId }, at)
  const invented = randomBytes(32).toString('base64url')
  for (const challenge of [toEnrol, invented]) {
    const answer = owner.device.signIn(said(challenge))
    assert.equal(await because(owner, answer), 'passkey_challenge_over')
  }
})

test('what was signed for another origin or without its owner is refused', async () => {
  const owner = await givenOwner()
  const changes: Partial<Said>[] = [
    { origin: 'https://bank.example:444' },
    { origin: 'https://evil.example', rpId: 'bank.example' },
    { origin: 'https://evil.example' },
    { isVerified: false },
    { isSynced: true }, // not the kind of key that was enrolled
  ]
  for (const change of changes) {
    const answer = owner.device.signIn(said(await challenged(), change))
    assert.equal(await because(owner, answer), 'passkey_unproven', JSON.stringify(change))
  }
})

test('a count that does not grow is refused and recorded, and leaves the count as it was', async () => {
  const owner = await givenOwner()
  for (const count of [5, 4, 0]) {
    const answer = owner.device.signIn(said(await challenged(), { count }))
    assert.equal(await because(owner, answer), 'passkey_count_went_back', `${count}`)
  }
  const { step } = await tried(owner, owner.device.signIn(said(await challenged())))
  assert.equal(step.kind, 'signed_in')
})

test('a count that is not signed by the key says nothing of it', async () => {
  const [owner, stranger] = [await givenOwner(), softAuthenticator()]
  const forged = stranger.signIn(said(await challenged(), { count: 1 }))
  const id = owner.device.credentialId.toString('base64url')
  const answer = JSON.stringify({ ...(JSON.parse(forged) as object), id, rawId: id })
  assert.equal(await because(owner, answer), 'passkey_unproven')
})

test('the passkey of somebody else does not open a name', async () => {
  const [owner, other] = [await givenOwner(), await givenOwner()]
  const answer = other.device.signIn(said(await challenged()))
  assert.equal(await because(owner, answer), 'passkey_unknown')
  const handle = userHandle(other.user.user_id)
  const mixed = owner.device.signIn(said(await challenged(), { userHandle: handle }))
  assert.equal(await because(owner, mixed), 'passkey_unknown')
  const nobody = { ...owner, user: { ...owner.user, username: 'nobody.here' } }
  const named = owner.device.signIn(said(await challenged()))
  assert.equal(await because(nobody, named), 'unknown_name')
})

test('a passkey made under another name of the issuer is none', async () => {
  const owner = await givenOwner('customer', 'former.example')
  const answer = owner.device.signIn(said(await challenged()))
  assert.equal(await because(owner, answer), 'passkey_unknown')
})

test('guesses are slowed like those at a password, and then the right one waits too', async () => {
  const owner = await givenOwner()
  for (let guess = 0; guess < 5; guess += 1) {
    assert.equal(await because(owner, '{}'), 'passkey_unreadable')
  }
  const { step, audited } = await tried(owner, owner.device.signIn(said(await challenged())))
  assert.equal(step.kind, 'blocked')
  assert.deepEqual(audited, [])
})
