import { listOf, memberOf, sumOf } from '../json-members.ts'
import type { Story } from '../story.ts'

/** Whatever happened: what was debited was credited, in each currency. */
export async function balanceBooks({ api, checks }: Story): Promise<void> {
  const answer = await api.get('/ledger/trial_balance')
  checks.answer(answer, 200, { object: 'trial_balance' })
  const lines = listOf(answer.body, 'lines')
  const currencies = new Set(lines.map((line) => memberOf(line, 'currency')))
  checks.equal('EUR is among the currencies', currencies.has('EUR'), true)
  for (const currency of currencies) {
    const own = lines.filter((line) => memberOf(line, 'currency') === currency)
    const difference = sumOf(own, 'debit') - sumOf(own, 'credit')
    checks.equal(`${String(currency)}: debits less credits`, difference, 0)
  }
  const totals = listOf(answer.body, 'totals').map((total) => memberOf(total, 'difference'))
  checks.equal(
    'differences of the totals',
    totals,
    totals.map(() => 0),
  )
}
