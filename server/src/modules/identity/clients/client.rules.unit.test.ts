import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type ClientMetadata, clientFault } from './client.rules.ts'

const service: ClientMetadata = {
  name: 'Back office',
  kind: 'service',
  mode: 'live',
  grantTypes: ['client_credentials'],
  scope: 'payments:read payments:write',
  authMethod: 'client_secret_basic',
  profile: 'standard',
  redirectUris: [],
  postLogoutRedirectUris: [],
  corsOrigins: [],
  authorizationDetailsTypes: [],
}

const app: ClientMetadata = {
  ...service,
  name: 'Budget app',
  kind: 'third_party',
  grantTypes: ['authorization_code', 'refresh_token'],
  scope: 'openid balance:read',
  redirectUris: ['https://app.example/callback'],
}

function publicJwk(type: 'P-256' | 'P-384' | 'Ed25519' | 'rsa2048' | 'rsa1024') {
  const pair = {
    'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    Ed25519: () => generateKeyPairSync('ed25519'),
    rsa2048: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    rsa1024: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  }[type]()
  return {
    open: pair.publicKey.export({ format: 'jwk' }) as Record<string, unknown>,
    secret: pair.privateKey.export({ format: 'jwk' }) as Record<string, unknown>,
  }
}

function keyed(...keys: Record<string, unknown>[]): ClientMetadata {
  return { ...service, authMethod: 'private_key_jwt', jwks: { keys } }
}

test('a back office and a customer app can be registered', () => {
  assert.equal(clientFault(service), undefined)
  assert.equal(clientFault(app), undefined)
})

test('a client without a scope may not exist: it could ask for every one', () => {
  assert.match(clientFault({ ...service, scope: '' }) ?? '', /scope is empty/)
  assert.match(clientFault({ ...service, scope: ' ' }) ?? '', /scope/)
})

test('a scope must exist, be named once, and fit the tenant', () => {
  assert.match(clientFault({ ...service, scope: 'payments:everything' }) ?? '', /unknown/)
  assert.match(clientFault({ ...service, scope: 'ledger:read ledger:read' }) ?? '', /twice/)
  assert.match(clientFault({ ...service, scope: 'test_helpers' }) ?? '', /sandbox/)
  assert.equal(clientFault({ ...service, mode: 'sandbox', scope: 'test_helpers' }), undefined)
})

test('an app that acts for customers holds only what a customer can grant', () => {
  assert.match(clientFault({ ...app, scope: 'openid payments:write' }) ?? '', /cannot grant/)
  assert.equal(clientFault({ ...app, kind: 'first_party', scope: 'payments:write' }), undefined)
})

test('grants are among those we know, and refreshing needs something to refresh', () => {
  const grantTypes = ['implicit'] as unknown as ClientMetadata['grantTypes']
  assert.match(clientFault({ ...service, grantTypes }) ?? '', /unsupported implicit/)
  assert.match(clientFault({ ...service, grantTypes: [] }) ?? '', /empty/)
  assert.match(clientFault({ ...service, grantTypes: ['refresh_token'] }) ?? '', /needs/)
})

test('a client that signs registers public keys for ES256, PS256 or EdDSA', () => {
  for (const type of ['P-256', 'Ed25519', 'rsa2048'] as const) {
    assert.equal(clientFault(keyed(publicJwk(type).open)), undefined, type)
  }
  assert.match(clientFault(keyed()) ?? '', /needs jwks/)
  assert.match(clientFault(keyed(publicJwk('P-384').open)) ?? '', /neither/)
  assert.match(clientFault(keyed(publicJwk('rsa1024').open)) ?? '', /2048/)
  assert.match(clientFault(keyed({ ...publicJwk('rsa2048').open, alg: 'RS256' })) ?? '', /neither/)
  assert.match(clientFault(keyed({ kty: 'oct', k: 'c2VjcmV0' })) ?? '', /private or secret/)
  assert.match(clientFault(keyed({ ...publicJwk('P-256').open, use: 'enc' })) ?? '', /signatures/)
})

test('a private key is refused, since the client has just given it away', () => {
  for (const type of ['P-256', 'Ed25519', 'rsa2048'] as const) {
    assert.match(clientFault(keyed(publicJwk(type).secret)) ?? '', /private or secret/)
  }
})

test('a key is judged by what it is, not by how it looks', () => {
  const ec = publicJwk('P-256').open
  const rsa = publicJwk('rsa2048').open
  const short = Buffer.from(publicJwk('rsa1024').open['n'] as string, 'base64url')
  const padded = Buffer.concat([Buffer.alloc(200), short]).toString('base64url')
  assert.match(clientFault(keyed({ ...rsa, n: padded })) ?? '', /2048/)
  assert.match(clientFault(keyed({ ...rsa, e: 'AQ' })) ?? '', /exponent/)
  for (const bad of [
    { kty: 'EC', crv: 'P-256' },
    { ...ec, x: 'AA' },
    { ...ec, y: 5 },
  ]) {
    assert.match(clientFault(keyed(bad)) ?? '', /cannot be read/, JSON.stringify(bad))
  }
})

test('a key says what it is for, and is named by a text', () => {
  const key = publicJwk('P-256').open
  assert.equal(clientFault(keyed({ ...key, key_ops: ['verify'] })), undefined)
  assert.match(clientFault(keyed({ ...key, key_ops: ['encrypt'] })) ?? '', /signatures/)
  assert.match(clientFault(keyed({ ...key, key_ops: 'verify' })) ?? '', /signatures/)
  for (const kid of [5, { a: 1 }, null]) {
    assert.match(clientFault(keyed({ ...key, kid })) ?? '', /kid/, JSON.stringify(kid))
  }
})

test('two keys of one client have two names', () => {
  const key = publicJwk('P-256').open
  assert.match(clientFault(keyed({ ...key, kid: 'a' }, { ...key, kid: 'a' })) ?? '', /twice/)
  assert.equal(clientFault(keyed({ ...key, kid: 'a' }, { ...key, kid: 'b' })), undefined)
})

test('a client has a secret or keys, and no other way in', () => {
  const jwks = { keys: [publicJwk('P-256').open] }
  assert.match(clientFault({ ...service, jwks }) ?? '', /private_key_jwt/)
  for (const method of ['none', 'client_secret_jwt', 'tls_client_auth']) {
    const authMethod = method as ClientMetadata['authMethod']
    assert.match(clientFault({ ...service, authMethod }) ?? '', /no supported way/)
  }
})

test('a redirect is a URI as it stands, and its host cannot end a directive of a content policy', () => {
  for (const uri of [
    ' https://app.example/callback',
    'https://app.example/\ncallback',
    'https://app.example\\callback',
    'https://\u0430pp.example/callback',
    "https://app.example;script-src'unsafe-inline'/",
    'https://app.example,default-src/',
  ]) {
    assert.notEqual(clientFault({ ...app, redirectUris: [uri] }), undefined, uri)
  }
  const fine = ['https://App.example:8443/a%20b;c=(d)?e=f', 'https://[2001:db8::1]/callback']
  for (const uri of fine) assert.equal(clientFault({ ...app, redirectUris: [uri] }), undefined, uri)
  assert.match(clientFault({ ...app, corsOrigins: ['https://app.example;x'] }) ?? '', /origin/)
})

test('redirects go to https, and in a sandbox to the machine of the developer too', () => {
  const to = (uri: string, mode: ClientMetadata['mode'] = 'live') =>
    clientFault({ ...app, mode, redirectUris: [uri] }) ?? ''
  for (const uri of [
    'http://app.example/callback',
    'http://127.0.0.1:8080/callback',
    'https://*.app.example/callback',
    'https://app.example/callback#part',
    'https://user:word@app.example/callback',
    'javascript:alert(1)',
    'not a uri',
  ]) {
    assert.notEqual(to(uri), '', uri)
  }
  assert.equal(to('http://127.0.0.1:8080/callback', 'sandbox'), '')
  assert.equal(to('http://localhost/callback', 'sandbox'), '')
  assert.notEqual(to('http://app.example/callback', 'sandbox'), '')
  assert.match(clientFault({ ...app, redirectUris: [] }) ?? '', /needs redirect_uris/)
  const useless = { ...service, redirectUris: ['https://app.example/callback'] }
  assert.match(clientFault(useless) ?? '', /no use/)
})

const fapi: ClientMetadata = {
  ...app,
  profile: 'fapi2',
  authMethod: 'private_key_jwt',
  jwks: { keys: [publicJwk('P-256').open] },
}

test('a fapi2 client proves itself by its key and is reached over https, in a sandbox too', () => {
  assert.equal(clientFault(fapi), undefined)
  for (const authMethod of ['client_secret_basic', 'client_secret_post'] as const) {
    const secret = { ...fapi, authMethod, jwks: null }
    assert.match(clientFault(secret) ?? '', /private_key_jwt/)
  }
  const loopback = {
    ...fapi,
    mode: 'sandbox',
    redirectUris: ['http://127.0.0.1/callback'],
  } as const
  assert.match(clientFault(loopback) ?? '', /not https/)
  assert.equal(clientFault({ ...loopback, profile: 'standard' }), undefined)
  const weak = { ...fapi, jwks: { keys: [{ ...publicJwk('rsa2048').open, alg: 'RS256' }] } }
  assert.match(clientFault(weak) ?? '', /neither/)
  assert.match(clientFault({ ...fapi, kind: 'first_party' }) ?? '', /fapi2/)
})

test('keys stand in the row or at an https address, not in both', () => {
  const jwksUri = 'https://app.example/jwks'
  assert.equal(clientFault({ ...fapi, jwks: null, jwksUri }), undefined)
  assert.match(clientFault({ ...fapi, jwksUri }) ?? '', /exclude/)
  assert.match(clientFault({ ...service, jwksUri }) ?? '', /private_key_jwt/)
  for (const uri of ['http://app.example/jwks', 'https://user:word@app.example/', '/jwks']) {
    assert.notEqual(clientFault({ ...fapi, jwks: null, jwksUri: uri }), undefined, uri)
  }
})

test('where a customer is sent after signing out, and what may read answers, is as strict', () => {
  const { redirectUris } = app
  const left = { ...app, postLogoutRedirectUris: ['https://app.example/bye'] }
  assert.equal(clientFault(left), undefined)
  assert.notEqual(
    clientFault({ ...app, postLogoutRedirectUris: ['http://app.example/'] }),
    undefined,
  )
  assert.notEqual(clientFault({ ...service, postLogoutRedirectUris: redirectUris }), undefined)
  assert.equal(clientFault({ ...app, corsOrigins: ['https://app.example'] }), undefined)
  for (const origin of ['https://app.example/', 'http://app.example', '*', 'null']) {
    assert.notEqual(clientFault({ ...app, corsOrigins: [origin] }), undefined, origin)
  }
})

test('a rich request is of a type that exists, of a client that customers are sent to', () => {
  const types = (...authorizationDetailsTypes: string[]) => ({ authorizationDetailsTypes })
  assert.equal(clientFault({ ...fapi, ...types('payment_initiation') }), undefined)
  assert.match(clientFault({ ...fapi, ...types('everything') }) ?? '', /unknown/)
  assert.match(clientFault({ ...service, ...types('payment_initiation') }) ?? '', /needs/)
})
