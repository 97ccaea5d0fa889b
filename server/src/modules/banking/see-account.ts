import { listAccounts } from '../ledger/index.ts'
import type { Db } from '../../platform/db/types.ts'
import { ApiError, type Refused } from '../../platform/errors.ts'
import type { Page } from '../../platform/page.ts'
import { refuse } from './banking.errors.ts'
import { CUSTOMER_FUNDS, type View } from './view.ts'

/** The accounts in view, one more than the page holds. */
export async function listVisible(db: Db, tenantId: string, view: View, page: Page) {
  const within = view.kind === 'bank' ? {} : { ids: [...view.accountIds] }
  return await listAccounts(db, tenantId, { role: CUSTOMER_FUNDS, ...within }, page)
}

/** The account that is meant where none is named: the only one in view. */
export async function onlyAccount(db: Db, tenantId: string, view: View): Promise<string> {
  const page = { limit: 1, order: 'asc' } as const
  const [first, second] = await listVisible(db, tenantId, view, page)
  if (first === undefined) throw new ApiError(refuse('bank_account_not_found'))
  if (second !== undefined) throw new ApiError(refuse('account_id_required', { errors: [WHICH] }))
  return first.account_id
}

const WHICH = {
  parameter: 'account_id',
  code: 'required',
  detail: 'there are several accounts',
} as const

export function assertAllowed(fault: Refused | undefined): void {
  if (fault !== undefined) throw new ApiError(fault)
}
