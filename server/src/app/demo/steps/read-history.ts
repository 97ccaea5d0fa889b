import { listOf, memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'
import { CAPTURED } from './capture-in-parts.ts'
import { MOVED } from './transfer.ts'

const HOUR_MS = 3_600_000 // The clocks of server and database may differ by less.

/** All that was booked on the account of the shop adds up to its balance. */
export async function readAccountHistory({ api, checks, facts }: Story): Promise<void> {
  const shop = facts.get('shop')
  const from = new Date(Date.parse(facts.get('since')) - HOUR_MS)
  const filters = { account_id: shop, 'booked[gte]': from.toISOString(), currency: 'EUR' }
  const answer = await api.get('/transactions', { query: { ...filters, limit: 100 } })
  checks.answer(answer, 200)
  const transactions = listOf(answer.body, 'data')
  const entries = transactions.flatMap((transaction) => listOf(transaction, 'entries'))
  const own = entries.filter((entry) => memberOf(entry, 'account_id') === shop)
  const sum = own.reduce<number>((total, entry) => total + credited(entry), 0)
  checks.equal('each transaction has an entry on the account', own.length, transactions.length)
  checks.equal('sum of the entries on the account', sum, CAPTURED - MOVED)
  facts.set('history', { filters, ids: transactions.map((one) => String(memberOf(one, 'id'))) })
}

/** The transfer, by all that a person may know about it, and by its reference alone. */
export async function findTransfer({ api, checks, facts }: Story): Promise<void> {
  const { body } = facts.get('transfer_request')
  const known = {
    account_id: facts.get('supplier'),
    type: 'book_payment',
    status: 'posted',
    'amount[gte]': MOVED,
    'amount[lte]': MOVED,
  }
  for (const query of [known, { reference: String(memberOf(body, 'external_id')) }]) {
    const answer = await api.get('/transactions', { query })
    checks.answer(answer, 200)
    const payments = listOf(answer.body, 'data').map((one) => memberOf(one, 'payment_id'))
    checks.equal('payments found', payments, [facts.get('transfer')])
  }
}

/** The same filters as before: the same transactions, a line each. */
export async function exportHistory({ api, checks, facts }: Story): Promise<void> {
  const { filters, ids } = facts.get('history')
  const answer = await api.get('/transactions', { query: { ...filters, format: 'csv' } })
  checks.answer(answer, 200)
  checks.equal('media type', answer.headers.get('content-type')?.split(';')[0], 'text/csv')
  const rows = answer.text.trimEnd().split(/\r?\n/).slice(1)
  checks.equal('rows', rows.length, ids.length)
  const missing = ids.filter((id, index) => rows[index]?.includes(id) !== true)
  checks.equal('transactions of the list that are not in their row', missing, [])
}

/** An account of a customer is owed to him: a credit adds to it. */
function credited(entry: unknown): number {
  const amount = Number(memberOf(entry, 'amount'))
  return memberOf(entry, 'direction') === 'credit' ? amount : -amount
}
