import type { Db } from '../../platform/db/types.ts'
import type { Submit } from '../../platform/http/submit.ts'
import type { Paging } from '../../platform/page.ts'

/** What the routes of the ledger need. */
export interface LedgerDeps {
  readonly submit: Submit
  /** Reads outside any transaction. */
  readonly db: Db
  /** Reads that may take long: trial balances. */
  readonly reports: Db
  readonly paging: Paging
}
