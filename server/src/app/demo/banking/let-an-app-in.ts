import { createHash, randomBytes } from 'node:crypto'
import { memberOf } from '../json-members.ts'
import { askToken } from '../steps/get-token.ts'
import type { Story } from '../story.ts'
import { takeTokens } from './tokens.ts'

const SCOPE = 'openid accounts:read balance:read transactions:read transfer:write'

/** The app sends its customer to the bank, with a challenge that only it can answer (RFC 7636). */
export async function beginSignIn(story: Story): Promise<void> {
  const { checks, credentials, facts } = story
  const { client_id: clientId, redirect_uris: redirects } = credentials.clients.app
  const [state, verifier] = [randomBytes(16), randomBytes(32)].map((bytes) =>
    bytes.toString('base64url'),
  ) as [string, string]
  const url = new URL('/oauth/authorize', credentials.base_url)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirects[0] ?? '',
    scope: SCOPE,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  const browser = story.browse(redirects[0] ?? '')
  const page = await browser.open(url.href)
  checks.equal('HTTP status', page.status, 200)
  checks.equal('the page asks to sign in', page.text.includes('name="password"'), true)
  facts.set('errand', { state, verifier })
  facts.set('browser', browser)
}

export async function signIn({ checks, credentials, facts }: Story): Promise<void> {
  const [customer] = credentials.customers
  const browser = facts.get('browser')
  const wrong = await browser.send({ username: customer?.username ?? '', password: 'a wrong one' })
  checks.equal('a wrong password opens nothing', wrong.text.includes('name="password"'), true)
  const page = await browser.send({
    username: customer?.username ?? '',
    password: customer?.password ?? '',
  })
  checks.equal('HTTP status', page.status, 200)
  const { customer_a: own, customer_b: foreign } = credentials.accounts
  checks.equal('the page offers the own account', page.text.includes(own), true)
  checks.equal('and not that of somebody else', page.text.includes(foreign), false)
}

export async function agree({ checks, credentials, facts }: Story): Promise<void> {
  const { url } = await facts.get('browser').send({
    decision: 'allow',
    account_ids: credentials.accounts.customer_a,
  })
  const { searchParams: answer } = url
  checks.equal('state', answer.get('state'), facts.get('errand').state)
  checks.equal('iss', answer.get('iss'), credentials.base_url)
  checks.equal('a code came back', (answer.get('code') ?? '') !== '', true)
  facts.set('code', answer.get('code') ?? '')
}

export async function redeemCode({ api, checks, credentials, facts }: Story): Promise<void> {
  const { app } = credentials.clients
  const form = {
    grant_type: 'authorization_code',
    code: facts.get('code'),
    redirect_uri: app.redirect_uris[0] ?? '',
    code_verifier: facts.get('errand').verifier,
  }
  const answer = await askToken(api, app, form)
  checks.answer(answer, 200, { token_type: 'Bearer' })
  const granted = String(memberOf(answer.body, 'scope')).split(' ')
  checks.equal('the app may transfer', granted.includes('transfer:write'), true)
  facts.set('tokens', takeTokens(answer.body))
}
