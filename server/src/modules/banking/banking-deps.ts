import type { Db } from '../../platform/db/types.ts'
import type { Submit } from '../../platform/http/submit.ts'
import type { Paging } from '../../platform/page.ts'
import type { IsBank } from './view.ts'

export interface BankingDeps {
  readonly submit: Submit
  /** Reads outside any transaction. */
  readonly db: Db
  readonly paging: Paging
  readonly isBank: IsBank
}
