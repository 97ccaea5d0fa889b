import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Said, softAuthenticator } from '../../../../test/support/soft-authenticator.ts'
import { madeKeyOf, proofOf, readAssertion, readAttestation } from './passkey-response.ts'
import { relyingPartyOf } from './relying-party.ts'

const ISSUER = 'https://bank.example'
const party = { id: 'bank.example', origin: ISSUER }
const challenge = Buffer.alloc(32, 7).toString('base64url')
const usual: Said = { challenge, origin: ISSUER, count: 3 }

test('an authenticator that verified its owner proves what it signed, for us', async () => {
  const device = softAuthenticator()
  const read = readAssertion(device.signIn(usual))
  assert.deepEqual(read?.credentialId, device.credentialId)
  assert.equal(read?.challenge, challenge)
  assert.ok(read)
  assert.deepEqual(await proofOf(party, read, device.publicKey), { count: 3, isSynced: false })
})

const refused: [what: string, changes: Partial<Said>][] = [
  ['another origin of the same name', { origin: 'https://bank.example:8443' }],
  ['another site', { origin: 'https://bank.example.evil.example', rpId: 'bank.example' }],
  ['a name below ours', { rpId: 'login.bank.example' }],
  ['a person whom the device did not verify', { isVerified: false }],
]
for (const [what, changes] of refused) {
  test(`refused, to sign in and to enrol: ${what}`, async () => {
    const device = softAuthenticator()
    const said = { ...usual, ...changes }
    const signed = readAssertion(device.signIn(said))
    assert.ok(signed)
    assert.equal(await proofOf(party, signed, device.publicKey), undefined)
    const made = readAttestation(device.enrol(said))
    assert.ok(made)
    assert.equal(await madeKeyOf(party, made), undefined)
  })
}

test('a signature of another key, or over another challenge, proves nothing', async () => {
  const [device, other] = [softAuthenticator(), softAuthenticator()]
  const read = readAssertion(device.signIn(usual))
  assert.ok(read)
  assert.equal(await proofOf(party, read, other.publicKey), undefined)
  const elsewhere = { ...read, challenge: Buffer.alloc(32, 8).toString('base64url') }
  assert.equal(await proofOf(party, elsewhere, device.publicKey), undefined)
})

test('an answer to enrol does not sign in, nor the other way round', async () => {
  const device = softAuthenticator()
  assert.equal(readAssertion(device.enrol(usual)), undefined)
  assert.equal(readAttestation(device.signIn(usual)), undefined)
})

test('a page in a frame of another site is not heard', () => {
  assert.equal(
    readAssertion(softAuthenticator().signIn({ ...usual, crossOrigin: true })),
    undefined,
  )
})

test('what is no answer of a browser is not read', () => {
  for (const text of ['', '{}', 'null', '[]', '{"id":1}', 'x'.repeat(20_000)]) {
    assert.equal(readAssertion(text), undefined, text.slice(0, 10))
    assert.equal(readAttestation(text), undefined, text.slice(0, 10))
  }
})

test('a new key is taken with what it says of itself', async () => {
  const device = softAuthenticator()
  const read = readAttestation(device.enrol({ ...usual, isSynced: true }))
  assert.ok(read)
  assert.deepEqual(await madeKeyOf(party, read), {
    rpId: 'bank.example',
    credentialId: device.credentialId,
    publicKey: device.publicKey,
    count: 3,
    isSynced: true,
    transports: ['internal'],
  })
})

test('passkeys belong to a domain name: an issuer that is an address has none', () => {
  assert.deepEqual(relyingPartyOf(ISSUER), party)
  assert.deepEqual(relyingPartyOf('http://localhost:4000'), {
    id: 'localhost',
    origin: 'http://localhost:4000',
  })
  assert.equal(relyingPartyOf('http://127.0.0.1:4000'), undefined)
  assert.equal(relyingPartyOf('http://[::1]:4000'), undefined)
})
