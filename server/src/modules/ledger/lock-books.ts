import type { TxOf } from '../../platform/db/types.ts'
import type { BalanceState } from './balance.ts'
import {
  type BalanceRow,
  type BookRow,
  type HoldRow,
  type OriginalRow,
  type Pair,
  type TakenRow,
  findDedupeKeys,
  findExternalIds,
  findOriginals,
  findReversals,
  findTransactionIds,
  lockBalances,
  lockHolds,
  shareBooks,
} from './lock.queries.ts'
import type {
  BookedTransaction,
  HoldCommand,
  HoldState,
  LedgerCommand,
  Leg,
  OpenHold,
} from './posting.ts'

type Tx = TxOf<'ledger'>

/** A transaction that is to be reversed. */
export interface Original {
  readonly type: string
  readonly effectiveOn: string
  readonly correlationId: string | null
  readonly reverses: string | null
  /** The module that booked it, which alone may take it back. */
  readonly module: string | null
  readonly legs: readonly Leg[]
  reversed: boolean
}

/** Everything a batch decides upon, locked and in memory. Keys are `tenant id`. */
export interface LockedBooks {
  readonly balances: Map<string, BalanceState>
  readonly books: ReadonlyMap<string, { readonly timeZone: string; readonly closedThrough: string }>
  readonly holds: Map<string, HoldState>
  readonly originals: ReadonlyMap<string, Original>
  /** Which transactions exist of those that are to be corrected. */
  readonly corrected: ReadonlySet<string>
  readonly byExternalId: Map<string, string>
  readonly byDedupeKey: Map<string, string>
  /** One instant for the whole batch: the clock, but after everything its accounts have booked. */
  readonly bookedMicros: bigint
  /** What the batch has booked so far, and which holds it has moved. */
  readonly booked: BookedTransaction[]
  readonly holdChanges: HoldChange[]
}

export interface HoldChange {
  readonly command: OpenHold | HoldCommand
  /** The hold as this command left it. */
  readonly hold: HoldState
}

/**
 * Takes the locks of a batch: holds, then balances, sorted by tenant and id. Commands that name
 * their accounts need one flush; those that name a hold or a transaction must read it first.
 */
export async function lockBooks(tx: Tx, commands: readonly LedgerCommand[]): Promise<LockedBooks> {
  const holdPairs = sortedPairs(
    commands.flatMap((command) =>
      'holdId' in command && command.kind !== 'hold'
        ? [{ tenantId: command.tenantId, id: command.holdId }]
        : [],
    ),
  )
  const originalPairs = sortedPairs(
    commands.flatMap((command) =>
      command.kind === 'reverse' ? [{ tenantId: command.tenantId, id: command.reverses }] : [],
    ),
  )
  const [holdRows, originalRows] =
    holdPairs.length + originalPairs.length === 0
      ? [[], []]
      : await Promise.all([lockHolds(tx, holdPairs), findOriginals(tx, originalPairs)])

  const accounts = sortedPairs([
    ...commands.flatMap(accountsOf),
    ...holdRows.flatMap(accountsOfHold),
    ...originalRows.map((row) => ({ tenantId: row.tenant_id, id: row.account_id })),
  ])
  const tenantIds = [...new Set(commands.map(({ tenantId }) => tenantId))].toSorted()
  const [balances, books, external, dedupe, reversals, corrected] = await Promise.all([
    lockBalances(tx, accounts),
    shareBooks(tx, tenantIds),
    findExternalIds(tx, namesOf(commands, 'externalId')),
    findDedupeKeys(tx, namesOf(commands, 'dedupeKey')),
    findReversals(tx, originalPairs),
    findTransactionIds(tx, namesOf(commands, 'corrects')),
  ])
  const states = balances.map(balanceState)
  return {
    balances: new Map(states.map((state) => [`${state.tenantId} ${state.accountId}`, state])),
    books: new Map(books.map((row) => [row.tenant_id, bookOf(row)])),
    holds: new Map(holdRows.map((row) => [`${row.tenant_id} ${row.hold_id}`, holdState(row)])),
    originals: originalsOf(originalRows, reversals),
    corrected: new Set(corrected.map((row) => `${row.tenant_id} ${row.transaction_id}`)),
    byExternalId: byName(external),
    byDedupeKey: byName(dedupe),
    bookedMicros: bookingTime(books, states),
    booked: [],
    holdChanges: [],
  }
}

/** Holds when the machine's clock steps back, or when a new primary's clock lags. */
function bookingTime(books: readonly BookRow[], states: readonly BalanceState[]): bigint {
  let micros = books[0]?.now_micros ?? 0n
  for (const { lastBookedMicros } of states) {
    if (lastBookedMicros >= micros) micros = lastBookedMicros + 1n
  }
  return micros
}

function accountsOf(command: LedgerCommand): Pair[] {
  const { tenantId } = command
  switch (command.kind) {
    case 'post':
      return command.legs.map(({ accountId }) => ({ tenantId, id: accountId }))
    case 'post_hold':
      return (command.legs ?? []).map(({ accountId }) => ({ tenantId, id: accountId }))
    case 'hold':
      return [command.debitAccountId, command.creditAccountId].map((id) => ({ tenantId, id }))
    case 'reverse':
    case 'increase_hold':
    case 'void_hold':
    case 'expire_hold':
      return []
  }
}

function accountsOfHold(row: HoldRow): Pair[] {
  return [row.debit_account_id, row.credit_account_id].map((id) => ({
    tenantId: row.tenant_id,
    id,
  }))
}

/** Distinct and in lock order: lower-case uuid text sorts as PostgreSQL sorts uuids. */
function sortedPairs(pairs: readonly Pair[]): Pair[] {
  const distinct = new Map(pairs.map((pair) => [`${pair.tenantId} ${pair.id}`, pair]))
  return [...distinct.keys()].toSorted().map((name) => distinct.get(name) as Pair)
}

function namesOf(
  commands: readonly LedgerCommand[],
  field: 'externalId' | 'dedupeKey' | 'corrects',
): Pair[] {
  return commands.flatMap((command) => {
    const name = command.kind === 'post' ? command[field] : undefined
    return name === undefined ? [] : [{ tenantId: command.tenantId, id: name }]
  })
}

function byName(rows: readonly TakenRow[]): Map<string, string> {
  return new Map(rows.map((row) => [`${row.tenant_id} ${row.name}`, row.transaction_id]))
}

function bookOf(row: BookRow): { timeZone: string; closedThrough: string } {
  return { timeZone: row.time_zone, closedThrough: row.closed_through }
}

function originalsOf(
  rows: readonly OriginalRow[],
  reversals: readonly TakenRow[],
): Map<string, Original> {
  const reversed = new Set(reversals.map((row) => `${row.tenant_id} ${row.name}`))
  const originals = new Map<string, Original & { legs: Leg[] }>()
  for (const row of rows) {
    const name = `${row.tenant_id} ${row.transaction_id}`
    let original = originals.get(name)
    if (original === undefined) {
      original = {
        type: row.type,
        effectiveOn: row.effective_on,
        correlationId: row.correlation_id,
        reverses: row.reverses_transaction_id,
        module: row.module,
        legs: [],
        reversed: reversed.has(name),
      }
      originals.set(name, original)
    }
    original.legs.push({ accountId: row.account_id, currency: row.currency, amount: row.amount })
  }
  return originals
}

function balanceState(row: BalanceRow): BalanceState {
  return {
    tenantId: row.tenant_id,
    accountId: row.account_id,
    currency: row.currency,
    normalSide: row.normal_side,
    chartRole: row.chart_role,
    status: row.status,
    blocked: row.blocked,
    minAvailable: row.min_available,
    maxBalance: row.max_balance,
    forcedFloor: row.forced_floor,
    debitsPosted: row.debits_posted,
    creditsPosted: row.credits_posted,
    debitsPending: row.debits_pending,
    creditsPending: row.credits_pending,
    readSeq: row.last_seq,
    lastSeq: row.last_seq,
    lastBookedMicros: row.last_booked_micros,
    booked: false,
    changed: false,
  }
}

export function holdState(row: HoldRow): HoldState {
  return {
    tenantId: row.tenant_id,
    holdId: row.hold_id,
    debitAccountId: row.debit_account_id,
    creditAccountId: row.credit_account_id,
    currency: row.currency,
    amount: row.amount,
    postedAmount: row.posted_amount,
    releasedAmount: row.released_amount,
    status: row.status,
    expiresAt: row.expires_at,
    correlationId: row.correlation_id,
    description: row.description,
    metadata: row.metadata,
    version: row.version,
    eventSequence: row.event_sequence,
    createdAt: row.created_at,
    isNew: false,
    changed: false,
  }
}
