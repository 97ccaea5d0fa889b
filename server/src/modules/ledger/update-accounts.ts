import type { Command } from '../../platform/command.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { MAX_METADATA } from '../../platform/fields.ts'
import { isAllowed } from '../../platform/http/conditional.ts'
import { refuse as refuseRequest } from '../../platform/http/http.errors.ts'
import type { AccountRow } from './account-row.ts'
import { changeAccounts } from './change-accounts.ts'
import { refuse } from './ledger.errors.ts'
import { accountUpdated } from './ledger.events.ts'

export interface AccountUpdate {
  readonly accountId: string
  /** Row versions that may be overwritten; undefined: any. */
  readonly allowed: readonly number[] | undefined
  readonly name?: string
  /** Null: unbounded. */
  readonly minAvailable?: bigint | null
  readonly maxBalance?: bigint | null
  readonly blocked?: AccountRow['blocked']
  /** Merged; null removes a key. */
  readonly metadata?: Readonly<Record<string, string | null>>
}

/**
 * Changes name, limits, block and metadata. A limit may be set beyond the balance: from then on only
 * what does not make it worse passes.
 */
export const updateAccounts: Command<AccountUpdate, AccountRow> = {
  name: 'update_ledger_accounts',
  run: (tx, requests) =>
    changeAccounts(tx, requests, {
      action: 'ledger.account.update',
      event: accountUpdated,
      judge,
    }),
}

function judge(row: AccountRow, update: AccountUpdate): Outcome<object | undefined> {
  if (!isAllowed(update.allowed, row.version)) return refuseRequest('version_conflict')
  if (row.status === 'closed') return refuse('account_closed')
  const before = { ...row }
  if (update.metadata !== undefined) {
    const metadata = merged(row.metadata, update.metadata)
    if (Object.keys(metadata).length > MAX_METADATA) return refuse('metadata_too_large')
    row.metadata = metadata
  }
  row.name = update.name ?? row.name
  row.blocked = update.blocked ?? row.blocked
  if (update.minAvailable !== undefined) row.min_available = update.minAvailable
  if (update.maxBalance !== undefined) row.max_balance = update.maxBalance
  return accept(changesOf(before, row))
}

function merged(
  metadata: AccountRow['metadata'],
  patch: Readonly<Record<string, string | null>>,
): AccountRow['metadata'] {
  const all = Object.entries({ ...metadata, ...patch })
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null))
}

/**
 * For the audit: limits and block as they were and are. Names and metadata only by mention.
 * Undefined when nothing changed.
 */
function changesOf(before: AccountRow, after: AccountRow): object | undefined {
  const limits = (['min_available', 'max_balance', 'blocked'] as const).filter(
    (name) => before[name] !== after[name],
  )
  const words = (['name', 'metadata'] as const).filter((name) => before[name] !== after[name])
  if (limits.length + words.length === 0) return undefined
  return {
    ...Object.fromEntries(
      limits.map((name) => [name, { from: textOf(before[name]), to: textOf(after[name]) }]),
    ),
    ...(words.length === 0 ? {} : { changed: words }),
  }
}

function textOf(value: bigint | string | null): string | null {
  return value === null ? null : `${value}`
}
