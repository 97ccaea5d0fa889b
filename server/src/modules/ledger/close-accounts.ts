import type { Command } from '../../platform/command.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import type { AccountRow } from './account-row.ts'
import { totalsOf } from './account-row.ts'
import { posted } from './balance.ts'
import { changeAccounts } from './change-accounts.ts'
import { refuse } from './ledger.errors.ts'
import { accountClosed } from './ledger.events.ts'

export interface AccountClosing {
  readonly accountId: string
}

/**
 * Closes accounts that are empty and not held; not those that a module keeps for itself. Closing a
 * closed account changes nothing.
 */
export const closeAccounts: Command<AccountClosing, AccountRow> = {
  name: 'close_ledger_accounts',
  run: (tx, requests) =>
    changeAccounts(tx, requests, { action: 'ledger.account.close', event: accountClosed, judge }),
}

function judge(row: AccountRow): Outcome<object | undefined> {
  if (row.status === 'closed') return accept(undefined)
  // Payments would find it again by its key, and could book no more.
  if (row.key !== null) return refuse('account_in_use', { key: row.key })
  const balance = posted(totalsOf(row))
  const held = row.debits_pending + row.credits_pending
  if (balance !== 0n || held !== 0n) {
    return refuse('account_not_empty', { posted: Number(balance) })
  }
  row.status = 'closed'
  return accept({})
}
