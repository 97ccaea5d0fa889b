import type { Tx } from '../../platform/db/types.ts'
import { emit } from '../../platform/events/events.ts'
import { newId } from '../../platform/ids.ts'
import { findAccountsByKey, insertAccounts, insertBook, insertChart } from './account.queries.ts'
import { CHART } from './chart.ts'
import { accountCreated, accountEvent } from './ledger.events.ts'

/** Gives a tenant its books: the time zone of its business days, and the chart of accounts. */
export async function openBooks(
  tx: Tx,
  { tenantId, timeZone }: { tenantId: string; timeZone: string },
): Promise<void> {
  await insertBook(tx, tenantId, timeZone)
  await insertChart(tx, tenantId, CHART)
}

/** An account that a module keeps for itself and finds again by its key. */
export interface ModuleAccount {
  readonly tenantId: string
  /** Unique per tenant: `gateway_clearing:sandbox:EUR`. */
  readonly key: string
  /** Role of the chart line it belongs to. */
  readonly role: string
  readonly currency: string
  readonly name: string
  /** Default null: unbounded, as clearing and bank accounts are. */
  readonly minAvailable?: bigint | null
  readonly at: Date
  /** Chosen before, as in a credentials file that was written first. Default: a new one. */
  readonly accountId?: string
}

/**
 * Answers the ids of these accounts by `tenant key`, opening those that do not exist yet. To be
 * called before anything is locked; a posting never creates an account.
 */
export async function openAccounts(
  tx: Tx,
  specs: readonly ModuleAccount[],
): Promise<ReadonlyMap<string, string>> {
  const found = await accountsByKey(tx, specs)
  const missing = new Map(
    specs
      .filter(({ tenantId, key }) => !found.has(`${tenantId} ${key}`))
      .map((spec) => [`${spec.tenantId} ${spec.key}`, spec]),
  )
  if (missing.size === 0) return found
  // Sorted, so that two transactions which open the same accounts wait instead of deadlocking.
  const sorted = [...missing.keys()].toSorted().map((name) => missing.get(name) as ModuleAccount)
  const asked = sorted.map((spec) => ({
    ...spec,
    accountId: spec.accountId ?? newId(spec.at),
    externalId: null,
    minAvailable: spec.minAvailable ?? null,
    maxBalance: null,
    metadata: {},
  }))
  const opened = new Set(await insertAccounts(tx, asked))
  emit(tx, asked.filter(({ accountId }) => opened.has(accountId)).map(openingEvent))
  const all = await accountsByKey(tx, specs)
  const lost = sorted.find(({ tenantId, key }) => !all.has(`${tenantId} ${key}`))
  if (lost !== undefined) throw new Error(`${lost.key} cannot be opened under ${lost.role}`)
  return all
}

function openingEvent({
  tenantId,
  accountId,
  at,
}: {
  tenantId: string
  accountId: string
  at: Date
}) {
  const account = { tenantId, accountId, status: 'open', version: 1 } as const
  return accountEvent(accountCreated, account, { at, requestId: null })
}

async function accountsByKey(
  tx: Tx,
  specs: readonly ModuleAccount[],
): Promise<Map<string, string>> {
  const rows = await findAccountsByKey(tx, specs)
  return new Map(rows.map((row) => [`${row.tenant_id} ${row.key}`, row.account_id]))
}
