import { memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'

/** Of this run alone, so that its sums come out whatever else happens on the server. */
export async function openAccounts({ api, checks, facts }: Story): Promise<void> {
  for (const name of ['shop', 'supplier'] as const) {
    const account = { name: `Demo ${name}`, role: 'customer_funds', currency: 'EUR' }
    const answer = await api.post('/ledger/accounts', { body: { ...account, min_available: 0 } })
    checks.answer(answer, 201, { status: 'open', 'balances.posted': 0 })
    facts.set(name, String(memberOf(answer.body, 'id')))
  }
}
