import { actOf, recordAudit } from '../audit/index.ts'
import { type Asked, type Command, tenantOf } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { emit } from '../../platform/events/events.ts'
import { publicId } from '../../platform/ids.ts'
import type { AccountRow } from './account-row.ts'
import {
  type ChartRow,
  findAccountsByExternalId,
  insertAccounts,
  listChart,
} from './account.queries.ts'
import { refuse } from './ledger.errors.ts'
import { accountCreated, accountEvent } from './ledger.events.ts'

export interface NewLedgerAccount {
  readonly accountId: string
  readonly name: string
  /** Of the chart line: one of the two. */
  readonly line: { readonly role: string } | { readonly code: string }
  readonly currency: string
  readonly minAvailable: bigint | null
  readonly maxBalance: bigint | null
  readonly externalId: string | null
  readonly metadata: Readonly<Record<string, string>>
}

/** Opens accounts under lines of the chart. An external id opens one account, whoever comes first. */
export const createAccounts: Command<NewLedgerAccount, AccountRow> = {
  name: 'create_ledger_accounts',
  run,
}

type Request = Asked<NewLedgerAccount>

async function run(tx: Tx, requests: readonly Request[]): Promise<Outcome<AccountRow>[]> {
  const tenantId = tenantOf(requests)
  const chart = await listChart(tx, tenantId)
  const judged = requests.map((request) => judge(chart, request))
  const asked = judged.flatMap((outcome) => (outcome.ok ? [outcome.value] : []))
  // Sorted, so that two batches which name the same external ids wait instead of deadlocking.
  const sorted = asked.toSorted((one, other) => compare(one.external_id, other.external_id))
  const opened = new Set(await insertAccounts(tx, sorted.map(newAccountOf)))
  const taken = await holdersOf(
    tx,
    tenantId,
    asked.filter((row) => !opened.has(row.account_id)),
  )
  const outcomes = judged.map((outcome) => {
    if (!outcome.ok || opened.has(outcome.value.account_id)) return outcome
    const holder = taken.get(`${outcome.value.external_id}`)
    // Its own id is there already: this very request was committed, and the answer to COMMIT lost.
    if (holder === undefined || holder === outcome.value.account_id) return outcome
    return refuse('account_key_taken', { existing_id: publicId('acc', holder) })
  })
  const accepted = outcomes.flatMap((outcome, index) =>
    outcome.ok && opened.has(outcome.value.account_id)
      ? [{ row: outcome.value, request: requests[index] as Request }]
      : [],
  )
  recordAudit(tx, accepted.map(actOfOpening))
  emit(tx, accepted.map(openingEvent))
  return outcomes
}

function judge(chart: readonly ChartRow[], { tenantId, at, input }: Request): Outcome<AccountRow> {
  const { line } = input
  const found = chart.find((one) =>
    'role' in line ? one.role === line.role : one.code === line.code,
  )
  if (found === undefined) return refuse('chart_line_not_found')
  if (!found.postable) return refuse('account_not_postable', { chart_code: found.code })
  return accept({
    tenant_id: tenantId,
    account_id: input.accountId,
    key: null,
    chart_code: found.code,
    role: found.role,
    type: found.type,
    clearing: found.clearing,
    name: input.name,
    external_id: input.externalId,
    metadata: input.metadata,
    version: 1,
    created_at: at,
    currency: input.currency,
    normal_side: found.normal_side,
    status: 'open',
    blocked: 'none',
    min_available: input.minAvailable,
    max_balance: input.maxBalance,
    debits_posted: 0n,
    credits_posted: 0n,
    debits_pending: 0n,
    credits_pending: 0n,
    last_seq: 0n,
  })
}

function compare(one: string | null, other: string | null): number {
  if (one === other) return 0
  return (one ?? '') < (other ?? '') ? -1 : 1
}

function newAccountOf(row: AccountRow) {
  return {
    tenantId: row.tenant_id,
    accountId: row.account_id,
    key: null,
    role: row.role,
    name: row.name,
    currency: row.currency,
    externalId: row.external_id,
    minAvailable: row.min_available,
    maxBalance: row.max_balance,
    metadata: row.metadata,
    at: row.created_at,
  }
}

/** The accounts that bear the external ids of these. */
async function holdersOf(
  tx: Tx,
  tenantId: string,
  rows: readonly AccountRow[],
): Promise<Map<string, string>> {
  const names = rows.flatMap((row) => (row.external_id === null ? [] : [row.external_id]))
  const found = await findAccountsByExternalId(tx, tenantId, names)
  return new Map(found.map((row) => [row.external_id, row.account_id]))
}

interface Opened {
  readonly row: AccountRow
  readonly request: Request
}

function actOfOpening({ row, request }: Opened) {
  return actOf(request, {
    action: 'ledger.account.create',
    resourceKind: 'ledger_account',
    resourceId: row.account_id,
    detail: { role: row.role, currency: row.currency },
  })
}

function openingEvent({ row, request }: Opened) {
  const account = {
    tenantId: row.tenant_id,
    accountId: row.account_id,
    status: row.status,
    version: row.version,
  }
  return accountEvent(accountCreated, account, request)
}
