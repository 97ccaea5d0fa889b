import assert from 'node:assert/strict'
import {
  type KeyObject,
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
} from 'node:crypto'
import { test } from 'node:test'
import { type JWK, SignJWT, base64url, calculateJwkThumbprint } from 'jose'
import type { Actor } from '../../../platform/actor.ts'
import { DatabaseUnavailable } from '../../../platform/db/transaction.ts'
import { ApiError } from '../../../platform/errors.ts'
import { type Guard, createGuard } from './guard.ts'

const ISSUER = 'https://pay.example.com'
const NOW = new Date('2026-11-23T09:00:00Z')
const NOW_S = NOW.getTime() / 1_000

const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const theirs = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const verifier = await crypto.subtle.importKey(
  'jwk',
  ours.publicKey.export({ format: 'jwk' }),
  { name: 'ECDSA', namedCurve: 'P-256' },
  true,
  ['verify'],
)

const CLAIMS = {
  iss: ISSUER,
  sub: 'cli_1',
  aud: 'urn:countinghouse:api',
  iat: NOW_S - 10,
  exp: NOW_S + 890,
  jti: 'j1',
  client_id: 'cli_1',
  scope: 'payments:read payments:write',
  tid: '01900000-0000-7000-8000-000000000001',
  env: 'sandbox',
}

type Changed = Record<string, unknown>

function token(changes: Changed = {}, header: Changed = {}, key: KeyObject = ours.privateKey) {
  return new SignJWT({ ...CLAIMS, ...changes })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })
    .sign(key)
}

const PARTS = {
  issuer: ISSUER,
  clientKind: (id: string) =>
    Promise.resolve(id === 'cli_1' ? ('third_party' as const) : undefined),
  revocations: {
    version: () => 1,
    isFresh: () => true,
    freshen: () => Promise.resolve(),
    hasEnded: () => false,
  },
  proofs: { isNew: () => Promise.resolve(true) },
}

function givenGuard() {
  const clock = { at: NOW, now: () => clock.at }
  let asked = 0
  const keys = {
    verifier: (kid: string) => {
      asked += 1
      return Promise.resolve(kid === 'k1' ? verifier : undefined)
    },
    destroyed: false,
    knows: () => !keys.destroyed,
  }
  const guard = createGuard({ ...PARTS, keys, clock })
  return { guard, clock, keys, verifications: () => asked }
}

const REQUEST = { method: 'GET', url: '/payments', query: {}, ip: '192.0.2.7' }

function bearing(value: string, more: { query?: object; headers?: string[] } = {}) {
  const rawHeaders = ['Host', 'pay.example.com', 'Authorization', value, ...(more.headers ?? [])]
  return { ...REQUEST, raw: { rawHeaders }, query: more.query ?? {} }
}

async function refusal(
  act: () => unknown,
): Promise<{ code: string; status: number; told: string }> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { code, status } = error.refusal
    return { code, status, told: error.headers['www-authenticate'] ?? '' }
  }
  throw new Error('the request was let in')
}

async function refused(guard: Guard, jwt: string): Promise<string> {
  const { code, status, told } = await refusal(() => guard.authenticate(bearing(`Bearer ${jwt}`)))
  assert.equal(status, 401)
  assert.match(told, /^Bearer error="invalid_token", error_description="[^"\\]+"$/)
  return code
}

test('a token names the client, its tenant and what it may', async () => {
  const { guard } = givenGuard()
  const expected: Actor = {
    kind: 'client',
    id: 'cli_1',
    clientId: 'cli_1',
    principal: 'cli_1',
    tenantId: CLAIMS.tid,
    tenantMode: 'sandbox',
    scopes: new Set(['payments:read', 'payments:write']),
    origin: '192.0.2.7',
  }
  assert.deepEqual(await guard.authenticate(bearing(`Bearer ${await token()}`)), expected)
})

test('a token without a scope may nothing', async () => {
  const { guard } = givenGuard()
  for (const scope of ['', undefined, 7]) {
    const actor = await guard.authenticate(bearing(`Bearer ${await token({ scope })}`))
    assert.equal(actor.scopes.size, 0)
  }
})

test('the scheme is read without regard to case', async () => {
  const { guard } = givenGuard()
  assert.equal((await guard.authenticate(bearing(`bEARER ${await token()}`))).id, 'cli_1')
})

test('a known token is let in at once, without a promise, with the address of each request', async () => {
  const { guard, verifications } = givenGuard()
  const jwt = await token()
  await guard.authenticate(bearing(`Bearer ${jwt}`))
  const again = guard.authenticate({ ...bearing(`Bearer ${jwt}`), ip: '198.51.100.9' })
  assert.ok(!(again instanceof Promise))
  assert.equal(again.origin, '198.51.100.9')
  assert.equal(verifications(), 1)
})

test('a known token is verified again after a minute, and refused once it has expired', async () => {
  const { guard, clock, verifications } = givenGuard()
  const jwt = await token({ exp: NOW_S + 90 })
  await guard.authenticate(bearing(`Bearer ${jwt}`))
  clock.at = new Date(NOW.getTime() + 59_000)
  await guard.authenticate(bearing(`Bearer ${jwt}`))
  assert.equal(verifications(), 1)
  clock.at = new Date(NOW.getTime() + 61_000)
  await guard.authenticate(bearing(`Bearer ${jwt}`))
  assert.equal(verifications(), 2)
  clock.at = new Date(NOW.getTime() + 104_000)
  await guard.authenticate(bearing(`Bearer ${jwt}`))
  clock.at = new Date(NOW.getTime() + 106_000)
  assert.equal(await refused(guard, jwt), 'token_expired')
})

test('a known token is looked at again once its key is destroyed', async () => {
  const { guard, keys, verifications } = givenGuard()
  const jwt = await token()
  await guard.authenticate(bearing(`Bearer ${jwt}`))
  keys.destroyed = true
  await guard.authenticate(bearing(`Bearer ${jwt}`))
  assert.equal(verifications(), 2)
})

test('a request without a token is asked for one', async () => {
  const { guard } = givenGuard()
  const bare = { ...REQUEST, raw: { rawHeaders: ['Host', 'pay.example.com'] } }
  const expected = {
    code: 'token_missing',
    status: 401,
    told: 'Bearer, DPoP algs="ES256 EdDSA Ed25519"',
  }
  assert.deepEqual(await refusal(() => guard.authenticate(bare)), expected)
  const basic = bearing('Basic Y2xpOnNlY3JldA==')
  assert.deepEqual(await refusal(() => guard.authenticate(basic)), expected)
})

test('two Authorization headers are refused, also two equal ones', async () => {
  const { guard } = givenGuard()
  const value = `Bearer ${await token()}`
  for (const name of ['Authorization', 'AUTHORIZATION', 'authorization']) {
    const twice = bearing(value, { headers: [name, value] })
    const { code, status, told } = await refusal(() => guard.authenticate(twice))
    assert.deepEqual([code, status], ['token_repeated', 400])
    assert.match(told, /error="invalid_request"/)
  }
})

test('a token in the query is refused, beside a good header too', async () => {
  const { guard } = givenGuard()
  const jwt = await token()
  const bare = { ...REQUEST, raw: { rawHeaders: [] }, query: { access_token: jwt } }
  const both = bearing(`Bearer ${jwt}`, { query: { access_token: '' } })
  for (const request of [bare, both]) {
    const { code, status } = await refusal(() => guard.authenticate(request))
    assert.deepEqual([code, status], ['token_misplaced', 400])
  }
})

test('alg none is refused', async () => {
  const { guard } = givenGuard()
  const encode = (part: object) => base64url.encode(JSON.stringify(part))
  for (const alg of ['none', 'None', 'NONE']) {
    const unsigned = `${encode({ alg, typ: 'at+jwt', kid: 'k1' })}.${encode(CLAIMS)}.`
    assert.equal(await refused(guard, unsigned), 'token_invalid')
  }
})

test('HS256 keyed with our public key is refused', async () => {
  const { guard } = givenGuard()
  const encode = (part: object) => base64url.encode(JSON.stringify(part))
  const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })}.${encode(CLAIMS)}`
  const secrets = [
    createPublicKey(ours.privateKey).export({ type: 'spki', format: 'pem' }),
    JSON.stringify(ours.publicKey.export({ format: 'jwk' })),
  ]
  for (const secret of secrets) {
    const mac = createHmac('sha256', secret).update(input).digest('base64url')
    assert.equal(await refused(guard, `${input}.${mac}`), 'token_invalid')
  }
})

test('RS256, and every key but ours, is refused', async () => {
  const { guard } = givenGuard()
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  assert.equal(
    await refused(guard, await token({}, { alg: 'RS256' }, rsa.privateKey)),
    'token_invalid',
  )
  assert.equal(await refused(guard, await token({}, {}, theirs.privateKey)), 'token_invalid')
  assert.equal(await refused(guard, await token({}, { kid: 'k2' })), 'token_invalid')
  assert.equal(await refused(guard, await token({}, { kid: undefined })), 'token_invalid')
})

test('a key that the token brings along is not looked at', async () => {
  const { guard } = givenGuard()
  const jwk = theirs.publicKey.export({ format: 'jwk' })
  assert.equal(await refused(guard, await token({}, { jwk }, theirs.privateKey)), 'token_invalid')
})

test('a token with a wrong claim is refused', async () => {
  const wrong: Record<string, Changed> = {
    'another issuer': { iss: 'https://evil.example' },
    'no issuer': { iss: undefined },
    'another audience': { aud: 'urn:countinghouse:other' },
    'no audience': { aud: undefined },
    'not valid yet': { nbf: NOW_S + 60 },
    'no expiry': { exp: undefined },
    'no client': { client_id: undefined },
    'a subject that is not its client': { sub: 'usr_1' },
    'a grant without a user': { gid: 'g1' },
    'no tenant': { tid: undefined },
    'no tenant mode': { env: 'production' },
    'bound to a certificate': { cnf: { 'x5t#S256': 'thumbprint' } },
    'a binding that is nothing': { cnf: null },
  }
  for (const [what, changes] of Object.entries(wrong)) {
    const { guard } = givenGuard()
    assert.equal(await refused(guard, await token(changes)), 'token_invalid', what)
  }
})

test('an ID token is not an access token', async () => {
  const { guard } = givenGuard()
  for (const typ of ['JWT', 'id_token+jwt', undefined]) {
    assert.equal(await refused(guard, await token({}, { typ })), 'token_invalid')
  }
})

test('an expired token is told apart, with 15 s of tolerance for clocks', async () => {
  const { guard } = givenGuard()
  assert.equal(await refused(guard, await token({ exp: NOW_S - 16 })), 'token_expired')
  const lately = await token({ exp: NOW_S - 14 })
  assert.equal((await guard.authenticate(bearing(`Bearer ${lately}`))).id, 'cli_1')
})

test('a changed, cut or garbled token is refused', async () => {
  const { guard } = givenGuard()
  const jwt = await token()
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const more = base64url.encode(JSON.stringify({ ...CLAIMS, scope: 'ledger:write' }))
  for (const bad of [
    `${header}.${more}.${signature}`,
    `${header}.${payload}`,
    `${header}.${payload}.`,
    jwt.slice(0, -4),
    'x',
    '',
    `${jwt} ${jwt}`,
    'a'.repeat(9_000),
  ]) {
    assert.equal(await refused(guard, bad), 'token_invalid')
  }
})

test('a refused token is never remembered: it is verified each time', async () => {
  const { guard, verifications } = givenGuard()
  const jwt = await token({}, {}, theirs.privateKey)
  await refused(guard, jwt)
  await refused(guard, jwt)
  assert.equal(verifications(), 2)
})

test('keys that cannot be read are no verdict on the token', async () => {
  const verifier = () => Promise.reject(new Error('the database is away'))
  const keys = { verifier, knows: () => true }
  const guard = createGuard({ ...PARTS, keys, clock: { now: () => NOW } })
  const jwt = await token()
  await assert.rejects(async () => guard.authenticate(bearing(`Bearer ${jwt}`)), /database is away/)
})

const USER = {
  sub: 'usr_1',
  gid: 'grant-1',
  pid: '01900000-0000-7000-8000-0000000000aa',
  acr: 'ch:2',
  amr: ['pwd', 'otp'],
  auth_time: NOW_S - 100,
}

test('a token of a customer names the person, the party, the grant and the app', async () => {
  const { guard } = givenGuard()
  const actor = await guard.authenticate(bearing(`Bearer ${await token(USER)}`))
  assert.deepEqual(
    { kind: actor.kind, id: actor.id, clientId: actor.clientId, principal: actor.principal },
    { kind: 'app', id: 'usr_1', clientId: 'cli_1', principal: 'cli_1 usr_1' },
  )
  assert.deepEqual(actor.user, {
    id: 'usr_1',
    partyId: USER.pid,
    grantId: 'grant-1',
    acr: 'ch:2',
    amr: ['pwd', 'otp'],
    authenticatedAt: new Date((NOW_S - 100) * 1_000),
  })
})

test("a person at the tenant's own console is an operator", async () => {
  const { keys } = givenGuard()
  const own = createGuard({
    ...PARTS,
    keys,
    clock: { now: () => NOW },
    clientKind: () => Promise.resolve('first_party'),
  })
  const actor = await own.authenticate(bearing(`Bearer ${await token(USER)}`))
  assert.equal(actor.kind, 'operator')
})

test('a token of a person that lacks anything about him is refused', async () => {
  for (const claim of ['gid', 'pid', 'acr', 'amr', 'auth_time'] as const) {
    const { guard } = givenGuard()
    const lacking = await token({ ...USER, [claim]: undefined })
    assert.equal(await refused(guard, lacking), 'token_invalid', claim)
  }
  const { guard } = givenGuard()
  assert.equal(await refused(guard, await token({ ...USER, sub: 'cli_2' })), 'token_invalid')
  const disabled = await token({ ...USER, client_id: 'cli_gone' })
  assert.equal(await refused(guard, disabled), 'token_invalid')
})

function givenRevocations() {
  const state = { at: 1, fresh: true, away: false, ended: new Set<string>(), freshened: 0 }
  const revocations = {
    version: () => state.at,
    isFresh: () => state.fresh,
    freshen: () => {
      state.freshened += 1
      return state.away ? Promise.reject(new DatabaseUnavailable(undefined)) : Promise.resolve()
    },
    hasEnded: ({ jti }: { jti: string }) => state.ended.has(jti),
  }
  const { keys } = givenGuard()
  const guard = createGuard({ ...PARTS, keys, revocations, clock: { now: () => NOW } })
  return { guard, state }
}

test('a token that was taken back is refused from the first request and from the thousandth', async () => {
  const { guard, state } = givenRevocations()
  const jwt = await token()
  const request = bearing(`Bearer ${jwt}`)
  await guard.authenticate(request)
  await guard.authenticate(request)
  state.ended.add('j1')
  state.at += 1
  assert.equal(await refused(guard, jwt), 'token_revoked')
  const unseen = await token({ jti: 'j2' })
  state.ended.add('j2')
  assert.equal(await refused(guard, unseen), 'token_revoked')
})

test('while nothing is known of revocations the database is asked, and without it nobody is let in', async () => {
  const { guard, state } = givenRevocations()
  const request = bearing(`Bearer ${await token()}`)
  await guard.authenticate(request)
  state.fresh = false
  assert.equal((await guard.authenticate(request)).id, 'cli_1')
  assert.equal(state.freshened, 1)
  state.away = true
  await assert.rejects(async () => guard.authenticate(request), DatabaseUnavailable)
  await assert.rejects(
    async () => guard.authenticate(bearing(`Bearer ${await token({ jti: 'new' })}`)),
    DatabaseUnavailable,
  )
  state.fresh = true
  assert.equal((await guard.authenticate(request)).id, 'cli_1')
})

const holder = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const holderJwk = holder.publicKey.export({ format: 'jwk' }) as JWK
const BOUND = { cnf: { jkt: await calculateJwkThumbprint(holderJwk) } }

async function proofFor(jwt: string, jti: string): Promise<string> {
  const ath = createHash('sha256').update(jwt).digest('base64url')
  const htu = `${ISSUER}/payments`
  return await new SignJWT({ htm: 'GET', htu, ath, jti, iat: NOW_S })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: holderJwk })
    .sign(holder.privateKey)
}

test('a bound token is let in with a proof of its key, each time with another one', async () => {
  const { guard, verifications } = givenGuard()
  const jwt = await token(BOUND)
  for (const jti of ['p1', 'p2']) {
    const headers = ['DPoP', await proofFor(jwt, jti)]
    const actor = await guard.authenticate(bearing(`dpop ${jwt}`, { headers }))
    assert.equal(actor.id, 'cli_1')
  }
  assert.equal(verifications(), 1)
})

test('a bound token as Bearer is refused, with a proof beside it too', async () => {
  const { guard } = givenGuard()
  const jwt = await token(BOUND)
  for (const headers of [[], ['DPoP', await proofFor(jwt, 'p1')]]) {
    const attempt = () => guard.authenticate(bearing(`Bearer ${jwt}`, { headers }))
    const { code, status, told } = await refusal(attempt)
    assert.deepEqual([code, status], ['token_invalid', 401])
    assert.match(told, /^DPoP error="invalid_token", .*algs=/)
  }
})

test('a bound token needs one proof, not none and not two', async () => {
  const { guard } = givenGuard()
  const jwt = await token(BOUND)
  const proof = await proofFor(jwt, 'p1')
  const none = await refusal(() => guard.authenticate(bearing(`DPoP ${jwt}`)))
  assert.deepEqual([none.code, none.status], ['proof_invalid', 401])
  assert.match(none.told, /^DPoP error="invalid_dpop_proof"/)
  const headers = ['DPoP', proof, 'dpop', proof]
  const two = await refusal(() => guard.authenticate(bearing(`DPoP ${jwt}`, { headers })))
  assert.deepEqual([two.code, two.status], ['proof_repeated', 400])
})

test('a token that is bound to nothing is no DPoP token', async () => {
  const { guard } = givenGuard()
  const jwt = await token()
  const headers = ['DPoP', await proofFor(jwt, 'p1')]
  const { code } = await refusal(() => guard.authenticate(bearing(`DPoP ${jwt}`, { headers })))
  assert.equal(code, 'token_invalid')
})

test('a hit costs microseconds', async (t) => {
  const { guard } = givenGuard()
  const request = bearing(`Bearer ${await token()}`)
  await guard.authenticate(request)
  const HITS = 20_000
  for (let n = 0; n < HITS; n += 1) void guard.authenticate(request)
  const began = performance.now()
  for (let n = 0; n < HITS; n += 1) void guard.authenticate(request)
  const hit = ((performance.now() - began) * 1_000) / HITS
  const fresh = await Promise.all(Array.from({ length: 1_000 }, (_, n) => token({ jti: `j${n}` })))
  const missed = performance.now()
  for (const jwt of fresh) await guard.authenticate(bearing(`Bearer ${jwt}`))
  const miss = performance.now() - missed
  t.diagnostic(`${hit.toFixed(2)} µs per hit, ${miss.toFixed(0)} µs per miss`)
  assert.ok(hit < 50, `${hit} µs per hit`)
})
