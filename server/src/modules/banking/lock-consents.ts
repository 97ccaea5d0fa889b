import { type Asked, tenantOf } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import {
  type ConsentRow,
  type GrantPair,
  lockConsents,
  lockConsentsOfGrants,
} from './consent.queries.ts'
import { findHoldings } from './holder.queries.ts'
import { type CountedConsent, readCounters } from './limit-counter.queries.ts'
import { type Counters, firstOfMonth } from './limits.ts'
import { type View, isOf } from './view.ts'

/** What a command that moves customers' money decides upon: their consents, locked. */
export interface LockedConsents {
  /** By `tenant grant`. */
  readonly consents: ReadonlyMap<string, ConsentRow>
  /** Accounts by `tenant party`. */
  readonly held: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Locks the consents behind these requests. Withdrawal takes the same lock: once it has answered,
 * nothing under the consent commits any more, on any node.
 */
export async function lockConsentsOf(
  tx: Tx,
  requests: readonly Asked<unknown>[],
): Promise<LockedConsents> {
  const users = usersOf(requests)
  return await withHoldings(tx, users, lockConsentsOfGrants(tx, inLockOrder(users)))
}

/** The same for one tenant, with other consents that the command is about. */
export async function lockConsentsAlso(
  tx: Tx,
  requests: readonly Asked<unknown>[],
  ids: readonly string[],
): Promise<LockedConsents> {
  const users = usersOf(requests)
  const grantIds = users.map(({ grantId }) => grantId)
  return await withHoldings(tx, users, lockConsents(tx, tenantOf(requests), { ids, grantIds }))
}

async function withHoldings(
  tx: Tx,
  users: readonly User[],
  locking: Promise<ConsentRow[]>,
): Promise<LockedConsents> {
  const parties = distinct(users, ({ tenantId, partyId }) => `${tenantId} ${partyId}`)
  const [rows, holdings] = await Promise.all([locking, findHoldings(tx, parties)])
  const held = new Map<string, Set<string>>()
  for (const { tenant_id: tenant, party_id: party, account_id: account } of holdings) {
    const key = `${tenant} ${party}`
    const accounts = held.get(key) ?? new Set()
    held.set(key, accounts.add(account))
  }
  return { consents: new Map(rows.map((row) => [`${row.tenant_id} ${row.grant_id}`, row])), held }
}

interface User {
  readonly tenantId: string
  readonly grantId: string
  readonly partyId: string
}

function usersOf(requests: readonly Asked<unknown>[]): User[] {
  return requests.flatMap(({ tenantId, actor: { user } }) =>
    user === undefined ? [] : [{ tenantId, grantId: user.grantId, partyId: user.partyId }],
  )
}

/** As `viewOf`, from what is locked. */
export function lockedView(
  { consents, held }: LockedConsents,
  { tenantId, actor }: Asked<unknown>,
  isBank: boolean,
): View {
  if (isBank) return { kind: 'bank' }
  const { user } = actor
  const row = user && consents.get(`${tenantId} ${user.grantId}`)
  const consent = row !== undefined && isOf(row, actor) ? row : undefined
  const mine = held.get(`${tenantId} ${user?.partyId}`)
  const accountIds = new Set(consent?.account_ids.filter((id) => mine?.has(id) === true))
  return { kind: 'consent', actor, consent, accountIds }
}

/** The counters that requests at these times can touch, whatever the time zone of the books. */
export async function countersOf(
  tx: Tx,
  consents: Iterable<ConsentRow>,
  times: readonly Date[],
): Promise<Counters> {
  const earliest = Math.min(...times.map((at) => at.getTime()))
  const fromDay = new Date(earliest - DAY_MS).toISOString().slice(0, 10)
  const fromMonth = firstOfMonth(fromDay)
  const asked: CountedConsent[] = [...consents].map((row) => ({
    tenantId: row.tenant_id,
    consentId: row.id,
    fromDay,
    fromMonth,
  }))
  return await readCounters(tx, asked)
}

const DAY_MS = 24 * 3_600_000

/** Grants by tenant and id, each once: the order in which every lock of several consents is taken. */
export function inLockOrder<Grant extends GrantPair>(grants: readonly Grant[]): Grant[] {
  return distinct(grants, ({ tenantId, grantId }) => `${tenantId} ${grantId}`)
}

/** Without repetitions, in the order of their keys. */
function distinct<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  const byKey = new Map(items.map((item) => [keyOf(item), item]))
  return [...byKey.keys()].toSorted().map((key) => byKey.get(key) as Item)
}
