import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor } from '../../../platform/actor.ts'
import { ApiError } from '../../../platform/errors.ts'
import { requireSignIn } from './step-up.ts'

const at = new Date('2026-11-23T09:00:00Z')

function person(acr: string, ageSeconds: number): Actor {
  return {
    kind: 'app',
    tenantId: '01900000-0000-7000-8000-000000000001',
    tenantMode: 'live',
    id: 'usr_1',
    clientId: 'cli_1',
    user: {
      id: 'usr_1',
      partyId: '01900000-0000-7000-8000-0000000000aa',
      grantId: 'g1',
      acr,
      amr: ['pwd'],
      authenticatedAt: new Date(at.getTime() - ageSeconds * 1_000),
    },
    scopes: new Set(),
    principal: 'cli_1 usr_1',
    origin: '192.0.2.7',
  }
}

function told(actor: Actor, asked: Parameters<typeof requireSignIn>[1]): string {
  try {
    requireSignIn(actor, asked, at)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    assert.equal(error.refusal.status, 401)
    return error.headers['www-authenticate'] ?? ''
  }
  return ''
}

test('a sign-in at least as strong as asked for is enough', () => {
  assert.equal(told(person('ch:2', 900), { acr: 'ch:2' }), '')
  assert.equal(told(person('ch:2', 900), { acr: 'ch:1' }), '')
  assert.equal(told(person('ch:phr', 900), { acr: 'ch:2' }), '')
  assert.match(told(person('ch:2', 0), { acr: 'ch:phr' }), /acr_values="ch:phr"$/)
  for (const acr of ['ch:1', '', 'ch:9']) {
    const challenge = told(person(acr, 0), { acr: 'ch:2' })
    assert.match(challenge, /^Bearer error="insufficient_user_authentication"/)
    assert.match(challenge, /acr_values="ch:2"$/)
  }
})

test('a sign-in of long ago is asked for again', () => {
  assert.equal(told(person('ch:2', 300), { maxAge: 300 }), '')
  assert.match(told(person('ch:2', 301), { maxAge: 300 }), /max_age="300"$/)
})

test('a program without a person behind it is not asked to sign in', () => {
  const { user: _, ...program } = person('ch:1', 0)
  assert.equal(told({ ...program, kind: 'client' }, { acr: 'ch:2' }), '')
})
