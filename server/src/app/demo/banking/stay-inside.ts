import { randomUUID } from 'node:crypto'
import type { Story } from '../story.ts'

/** An account of somebody else answers as one that does not exist; so does paying from it. */
export async function lookElsewhere({ api, checks, credentials }: Story): Promise<void> {
  const { customer_a: own, customer_b: foreign } = credentials.accounts
  const balance = await api.get('/api/account/balance', { query: { account_id: foreign } })
  checks.answer(balance, 404, { code: 'bank_account_not_found' })
  const history = await api.get(`/api/accounts/${foreign}/transactions`)
  checks.answer(history, 404, { code: 'bank_account_not_found' })
  const body = { from_account_id: foreign, to_account_id: own, amount: 100, currency: 'EUR' }
  const transfer = await api.post('/api/transfer', { body, key: randomUUID() })
  checks.answer(transfer, 404, { code: 'bank_account_not_found' })
}
