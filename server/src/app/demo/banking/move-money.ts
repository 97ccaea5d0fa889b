import { randomUUID } from 'node:crypto'
import { memberOf } from '../json-members.ts'
import { askToken } from '../steps/get-token.ts'
import type { Story } from '../story.ts'
import { bearer, takeTokens } from './tokens.ts'

const AMOUNT = 12_345

/** Without naming an account: the customer chose only one. */
export async function readBalance(story: Story): Promise<void> {
  const { api, checks, credentials, facts } = story
  api.carry(facts.get('tokens').access)
  const answer = await api.get('/api/account/balance')
  checks.answer(answer, 200, { account_id: credentials.accounts.customer_a, currency: 'EUR' })
  const available = Number(memberOf(answer.body, 'available'))
  checks.equal('there is enough for a transfer', available >= AMOUNT, true)
  facts.set('booked', await bookedBySight(story))
}

export async function transfer({ api, checks, credentials, facts }: Story): Promise<void> {
  api.carry(facts.get('tokens').access)
  const { customer_a: from, customer_b: to } = credentials.accounts
  const key = randomUUID()
  const body = {
    from_account_id: from,
    to_account_id: to,
    amount: AMOUNT,
    currency: 'EUR',
    reference: 'Rent',
  }
  const answer = await api.post('/api/transfer', { body, key })
  checks.answer(answer, 201, { status: 'booked', iso_status: 'ACCC', amount: AMOUNT })
  facts.set('transfer', String(memberOf(answer.body, 'id')))
  facts.set('transfer_request', { key, body, answer: answer.text })
}

export async function repeatTransfer({ api, checks, facts }: Story): Promise<void> {
  const { key, body, answer: first } = facts.get('transfer_request')
  const answer = await api.post('/api/transfer', { body, key })
  checks.answer(answer, 201, { id: facts.get('transfer') })
  checks.equal('the same body as before', answer.text === first, true)
}

export async function compareBalances(story: Story): Promise<void> {
  const { checks, facts } = story
  const [before, after] = [facts.get('booked'), await bookedBySight(story)]
  checks.equal('customer_a', after.customer_a, before.customer_a - AMOUNT)
  checks.equal('customer_b', after.customer_b, before.customer_b + AMOUNT)
}

/** What the bank itself sees on both accounts: the app sees only one of them. */
async function bookedBySight({ api, checks, credentials }: Story) {
  const answer = await askToken(api, credentials.clients.backoffice, {
    grant_type: 'client_credentials',
    scope: 'balance:read',
  })
  const headers = bearer(takeTokens(answer.body).access)
  const booked = { customer_a: Number.NaN, customer_b: Number.NaN }
  for (const name of ['customer_a', 'customer_b'] as const) {
    const query = { account_id: credentials.accounts[name] }
    const balance = await api.get('/api/account/balance', { query, headers })
    checks.answer(balance, 200)
    booked[name] = Number(memberOf(balance.body, 'booked'))
  }
  return booked
}
