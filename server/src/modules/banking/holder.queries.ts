import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'

type Tx = TxOf<'banking'>

export interface PartyPair {
  readonly tenantId: string
  readonly partyId: string
}

export interface HoldingRow {
  readonly tenant_id: string
  readonly party_id: string
  readonly account_id: string
}

/** Which accounts these parties hold now. */
export async function findHoldings(tx: Tx, pairs: readonly PartyPair[]): Promise<HoldingRow[]> {
  const { rows } = await selectHoldings(
    tx,
    pairs.map(({ tenantId }) => tenantId),
    pairs.map(({ partyId }) => partyId),
  )
  return rows
}

const selectHoldings = statement<HoldingRow>(`
  select h.tenant_id, h.party_id, h.account_id
  from unnest($1::uuid[], $2::uuid[]) as u (tenant_id, party_id)
  cross join lateral (
    select * from banking.account_holders k
    where k.tenant_id = u.tenant_id and k.party_id = u.party_id and k.ended_at is null
  ) h`)

export interface HeldAccount extends PartyPair {
  readonly accountId: string
  readonly type: AccountType
  readonly number: string
  readonly at: Date
}
export type AccountType = 'current' | 'savings' | 'operating'

export async function insertHoldings(tx: Tx, held: readonly HeldAccount[]): Promise<void> {
  await insertAccountsAndHolders(
    tx,
    held.map(({ tenantId }) => tenantId),
    held.map(({ partyId }) => partyId),
    held.map(({ accountId }) => accountId),
    held.map(({ type }) => type),
    held.map(({ number }) => number),
    held.map(({ at }) => at),
  )
}

const insertAccountsAndHolders = statement(`
  with asked as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
      as u (tenant_id, party_id, account_id, type, number, at)
  ), known as (
    insert into banking.accounts (tenant_id, account_id, type, number, created_at)
    select distinct on (tenant_id, account_id) tenant_id, account_id, type, number, at from asked
    on conflict do nothing
  )
  insert into banking.account_holders (tenant_id, party_id, account_id, since)
  select tenant_id, party_id, account_id, at from asked
  on conflict (tenant_id, party_id, account_id) do update set ended_at = null`)

export async function endHolding(
  tx: Tx,
  tenantId: string,
  { partyId, accountId, at }: { partyId: string; accountId: string; at: Date },
): Promise<number> {
  return (await updateEnded(tx, tenantId, partyId, accountId, at)).count
}

const updateEnded = statement(`
  update banking.account_holders set ended_at = $4
  where tenant_id = $1 and party_id = $2 and account_id = $3 and ended_at is null`)

export interface AccountFacts {
  readonly account_id: string
  readonly type: AccountType
  readonly number: string
}

/** What banking knows about these accounts; nothing about one that nobody was assigned to. */
export async function findAccountFacts(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, AccountFacts>> {
  if (ids.length === 0) return new Map()
  const { rows } = await selectFacts(tx, tenantId, ids)
  return new Map(rows.map((row) => [row.account_id, row]))
}

const selectFacts = statement<AccountFacts>(`
  select account_id, type, number from banking.accounts
  where tenant_id = $1 and account_id = any($2::uuid[])`)
