import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type JWK, SignJWT, UnsecuredJWT, base64url, calculateJwkThumbprint } from 'jose'
import { ApiError } from '../../../platform/errors.ts'
import { createProofCheck } from './dpop-proof.ts'

const ISSUER = 'https://pay.example.com'
const NOW = new Date('2026-11-23T09:00:00Z')
const NOW_S = NOW.getTime() / 1_000
const TOKEN = 'header.payload.signature'

const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
}
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

function jwkOf(pair: { publicKey: typeof other.publicKey }): JWK {
  return pair.publicKey.export({ format: 'jwk' })
}

const jkt = await calculateJwkThumbprint(jwkOf(pairs.ES256))
let made = 0

type Changed = Record<string, unknown>

function claims(changes: Changed = {}) {
  made += 1
  const ath = createHash('sha256').update(TOKEN).digest('base64url')
  const htu = `${ISSUER}/payments`
  return { htm: 'POST', htu, ath, iat: NOW_S, jti: `proof-${made}`, ...changes }
}

function proof(changes: Changed = {}, header: Changed = {}, key = pairs.ES256.privateKey) {
  return new SignJWT(claims(changes))
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: jwkOf(pairs.ES256), ...header })
    .sign(key)
}

function givenCheck() {
  const used = new Set<string>()
  const register = {
    isNew: (id: string) => Promise.resolve(!used.has(id) && used.add(id) !== undefined),
  }
  const check = createProofCheck(ISSUER, register)
  return (text: string, changes: Changed = {}) =>
    check({
      method: 'POST',
      url: '/payments?limit=1',
      proof: text,
      token: TOKEN,
      jkt,
      now: NOW,
      ...changes,
    })
}

async function fault(act: Promise<void>): Promise<string> {
  try {
    await act
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const { code, status, facts } = error.refusal
    assert.deepEqual([code, status], ['proof_invalid', 401])
    const told = error.headers['www-authenticate'] ?? ''
    assert.match(told, /^DPoP error="invalid_dpop_proof", .*algs="ES256 EdDSA Ed25519"$/)
    return String(facts.detail)
  }
  return ''
}

test('a proof of this request by this key is accepted, with ES256 and EdDSA', async () => {
  const check = givenCheck()
  assert.equal(await fault(check(await proof())), '')
  const jwk = jwkOf(pairs.EdDSA)
  const signed = await proof({}, { alg: 'EdDSA', jwk }, pairs.EdDSA.privateKey)
  assert.equal(await fault(check(signed, { jkt: await calculateJwkThumbprint(jwk) })), '')
})

test('the address is compared as an address: case of scheme and host, port, query, fragment', async () => {
  const check = givenCheck()
  for (const htu of [
    'HTTPS://PAY.example.com/payments',
    'https://pay.example.com:443/payments',
    'https://pay.example.com/payments?limit=2#part',
    'https://pay.example.com/x/../payments',
  ]) {
    assert.equal(await fault(check(await proof({ htu }))), '', htu)
  }
  for (const htu of [
    'https://pay.example.com/payments/1',
    'https://pay.example.com/PAYMENTS',
    'https://pay.example.com/',
    'https://evil.example/payments',
    'http://pay.example.com/payments',
    'https://pay.example.com:8443/payments',
    '/payments',
    7,
    undefined,
  ]) {
    assert.match(await fault(check(await proof({ htu }))), /htu/, String(htu))
  }
})

test('a proof for another method or another token is refused', async () => {
  const check = givenCheck()
  for (const htm of ['GET', 'post', undefined]) {
    assert.match(await fault(check(await proof({ htm }))), /htm/)
  }
  for (const ath of [createHash('sha256').update('x').digest('base64url'), '', undefined]) {
    assert.match(await fault(check(await proof({ ath }))), /ath/)
  }
})

test('a proof of a minute is recent, an older one and a later one are not', async () => {
  const check = givenCheck()
  for (const iat of [NOW_S - 60, NOW_S + 60]) {
    assert.equal(await fault(check(await proof({ iat }))), '', String(iat - NOW_S))
  }
  for (const iat of [NOW_S - 61, NOW_S - 120, NOW_S + 61, undefined, '1']) {
    assert.notEqual(await fault(check(await proof({ iat }))), '', String(iat))
  }
  assert.match(await fault(check(await proof({ exp: NOW_S - 16 }))), /expired/)
  assert.match(await fault(check(await proof({ nbf: NOW_S + 16 }))), /nbf/)
})

test('a proof counts once, whatever is asked with it', async () => {
  const check = givenCheck()
  const once = await proof()
  assert.equal(await fault(check(once)), '')
  assert.match(await fault(check(once)), /used before/)
  for (const jti of ['', undefined, 7, 'x'.repeat(257)]) {
    assert.match(await fault(check(await proof({ jti }))), /jti/)
  }
})

test('a proof that fails for another reason leaves its id unused', async () => {
  const check = givenCheck()
  assert.match(await fault(check(await proof({ jti: 'mine', htm: 'GET' }))), /htm/)
  assert.equal(await fault(check(await proof({ jti: 'mine' }))), '')
})

test('another key than the one of the token is refused, also under a false name', async () => {
  const check = givenCheck()
  const theirs = await proof({}, { jwk: jwkOf(other) }, other.privateKey)
  assert.match(await fault(check(theirs)), /another key/)
  const renamed = await proof({}, {}, other.privateKey)
  assert.match(await fault(check(renamed)), /forged/)
  const keyless = await proof({}, { jwk: undefined })
  assert.match(await fault(check(keyless)), /another key/)
})

test('a proof that carries its private key is refused', async () => {
  const jwk = pairs.ES256.privateKey.export({ format: 'jwk' })
  assert.match(await fault(givenCheck()(await proof({}, { jwk }))), /private/)
})

test('unsigned, symmetric and RSA proofs are refused', async () => {
  const check = givenCheck()
  const jwk = jwkOf(pairs.ES256)
  assert.notEqual(await fault(check(new UnsecuredJWT(claims()).encode())), '')
  const encode = (part: object) => base64url.encode(JSON.stringify(part))
  const input = `${encode({ alg: 'HS256', typ: 'dpop+jwt', jwk })}.${encode(claims())}`
  const mac = createHmac('sha256', JSON.stringify(jwk)).update(input).digest('base64url')
  assert.match(await fault(check(`${input}.${mac}`)), /alg/)
  const signed = await proof({}, { alg: 'RS256', jwk: jwkOf(rsa) }, rsa.privateKey)
  assert.match(await fault(check(signed)), /alg/)
})

test('what is no proof at all is refused', async () => {
  const check = givenCheck()
  for (const typ of ['JWT', 'at+jwt', undefined]) {
    assert.match(await fault(check(await proof({}, { typ }))), /typ/)
  }
  for (const text of ['', 'x', 'a.b.c', '..', 'a'.repeat(5_000), `${await proof()}x`]) {
    assert.notEqual(await fault(check(text)), '')
  }
  const broken = await proof({}, { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } })
  assert.notEqual(await fault(check(broken)), '')
})
