export { openAccounts, openBooks, type ModuleAccount } from './open-accounts.ts'
export { postEntries, writeBooks } from './post-entries.ts'
export { decide } from './decide.ts'
export { lockBooks, type LockedBooks } from './lock-books.ts'
export { findBalances, type BalanceRow, type Pair } from './lock.queries.ts'
export { findAccountsByKey } from './account.queries.ts'
export { findAccount, listAccounts } from './account-list.queries.ts'
export type { AccountRow } from './account-row.ts'
export { businessDay, daysAfter } from './business-day.ts'
export { findBalanceNow, findBookedBalance } from './entry.queries.ts'
export { findCounterparts, listEntries } from './entry.queries.ts'
export { listHolds } from './hold.queries.ts'
export { fromNormalSide, instantOf } from './public-forms.ts'
export type {
  BookedTransaction,
  HoldState,
  LedgerCommand,
  LedgerResult,
  Leg,
  OpenHold,
  Post,
} from './posting.ts'
export { ledgerEvents } from './ledger.events.ts'
export { refuse as ledgerErrors } from './ledger.errors.ts'
export { ledgerRoutes } from './ledger.routes.ts'
export { holdQueue } from './hold.due.ts'
export { checkLedger, type LedgerVerdict, type Violation } from './check-ledger.ts'
