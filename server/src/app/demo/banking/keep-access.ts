import { setTimeout as sleep } from 'node:timers/promises'
import { memberOf } from '../json-members.ts'
import { askToken } from '../steps/get-token.ts'
import type { Story } from '../story.ts'
import { takeTokens } from './tokens.ts'

/** Tokens of this server live 5 s; the API minds clocks that differ by up to 15 s. */
export async function awaitExpiry({ api, checks, facts }: Story): Promise<void> {
  api.carry(facts.get('tokens').access)
  const answer = await api.poll(
    '/api/account/balance',
    (body) => memberOf(body, 'code') !== undefined,
    {
      everyMs: 500,
      limitMs: 40_000,
    },
  )
  checks.answer(answer, 401, { code: 'token_expired' })
  const challenge = answer.headers.get('www-authenticate') ?? ''
  checks.equal('WWW-Authenticate says why', challenge.includes('error="invalid_token"'), true)
}

export async function refresh({ api, checks, credentials, facts }: Story): Promise<void> {
  const former = facts.get('tokens')
  const answer = await askToken(api, credentials.clients.app, {
    grant_type: 'refresh_token',
    refresh_token: former.refresh,
  })
  checks.answer(answer, 200, { token_type: 'Bearer' })
  const tokens = takeTokens(answer.body)
  checks.equal('the refresh token is another', tokens.refresh !== former.refresh, true)
  facts.set('former_tokens', former)
  facts.set('tokens', tokens)
}

const GRACE_MS = 5_000 // within it a second use counts as a double click

export async function reuseRefreshToken(story: Story): Promise<void> {
  const { api, checks, credentials, facts } = story
  // Fresh from here on, so that what ends them below is the revocation and not their age.
  await refresh(story)
  await sleep(GRACE_MS + 1_500) // times of use are kept in whole seconds
  const answer = await askToken(api, credentials.clients.app, {
    grant_type: 'refresh_token',
    refresh_token: facts.get('former_tokens').refresh,
  })
  checks.answer(answer, 400, { error: 'invalid_grant' })
}

const EVERYWHERE_MS = 1_000 // by then a revocation has reached every node

export async function seeAllRevoked({ api, checks, credentials, facts }: Story): Promise<void> {
  const { access, refresh: latest } = facts.get('tokens')
  await sleep(EVERYWHERE_MS)
  api.carry(access)
  const balance = await api.get('/api/account/balance')
  checks.answer(balance, 401, { code: 'token_revoked' })
  const answer = await askToken(api, credentials.clients.app, {
    grant_type: 'refresh_token',
    refresh_token: latest,
  })
  checks.answer(answer, 400, { error: 'invalid_grant' })
}
