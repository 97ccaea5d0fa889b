import type { ChartLine } from './chart.ts'

/** An account whole: its words, the chart line that it belongs to, and its numbers. */
export interface AccountRow {
  readonly tenant_id: string
  readonly account_id: string
  readonly key: string | null
  readonly chart_code: string
  readonly role: string
  readonly type: ChartLine['type']
  readonly clearing: boolean
  name: string
  readonly external_id: string | null
  metadata: Readonly<Record<string, string>>
  version: number
  readonly created_at: Date
  readonly currency: string
  readonly normal_side: 'debit' | 'credit'
  status: 'open' | 'closed'
  blocked: 'none' | 'outgoing' | 'incoming' | 'both'
  min_available: bigint | null
  max_balance: bigint | null
  readonly debits_posted: bigint
  readonly credits_posted: bigint
  readonly debits_pending: bigint
  readonly credits_pending: bigint
  readonly last_seq: bigint
}

/** Its numbers under the names that the arithmetic of balances uses. */
export function totalsOf(row: AccountRow) {
  return {
    normalSide: row.normal_side,
    debitsPosted: row.debits_posted,
    creditsPosted: row.credits_posted,
    debitsPending: row.debits_pending,
    creditsPending: row.credits_pending,
    minAvailable: row.min_available,
  }
}
