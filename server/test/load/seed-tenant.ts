import { createClient, createTenant } from '../../src/modules/identity/index.ts'
import { openAccounts, openBooks, postEntries } from '../../src/modules/ledger/index.ts'
import { type Connection, openPools } from '../../src/platform/db/pools.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import type { Tx } from '../../src/platform/db/types.ts'
import { newId } from '../../src/platform/ids.ts'

/** A tenant whose customers have money, and clients that may move it. */
export interface SeededTenant {
  readonly tenantId: string
  /** At least one. */
  readonly clients: readonly BenchClient[]
  /** Customers' accounts in EUR; uuids. */
  readonly accountIds: readonly string[]
}

export interface BenchClient {
  readonly clientId: string
  readonly clientSecret: string
}

const SCOPE = 'payments:read payments:write ledger:read ledger:write'
const FUNDS = 10_000_000_00n // enough for any run, whoever is picked; all of them together stay below 2^53
const CHUNK = 500

export async function seedTenant(
  connection: Connection,
  { accounts, clients, signal }: { accounts: number; clients: number; signal: AbortSignal },
): Promise<SeededTenant> {
  const pools = openPools(connection, () => undefined)
  const write = <Result>(work: (tx: Tx) => Promise<Result>) => inTransaction(pools.money, work)
  const at = new Date()
  try {
    const tenant = await write((tx) => createTenant(tx, { name: 'Bench', mode: 'sandbox', at }))
    const tenantId = tenant.tenant_id
    await write((tx) => openBooks(tx, { tenantId, timeZone: 'UTC' }))
    const registered = []
    for (let count = 0; count < clients; count += 1) {
      const { clientId, clientSecret } = await write((tx) => createClient(tx, client(tenantId, at)))
      registered.push({ clientId, clientSecret: clientSecret as string })
    }
    const bank = { tenantId, key: 'bank:EUR', role: 'bank', currency: 'EUR', name: 'Bank', at }
    const opened = await write((tx) => openAccounts(tx, [bank]))
    const bankId = [...opened.values()][0] as string
    const accountIds: string[] = []
    for (let from = 0; from < accounts; from += CHUNK) {
      signal.throwIfAborted()
      const specs = Array.from({ length: Math.min(CHUNK, accounts - from) }, (_, index) =>
        customer(tenantId, from + index, at),
      )
      const ids = [...(await write((tx) => openAccounts(tx, specs))).values()]
      const deposits = ids.map((id) => deposit(tenantId, { bankId, customerId: id, at }))
      const outcomes = await write((tx) => postEntries(tx, deposits))
      if (!outcomes.every(({ ok }) => ok)) throw new Error('a deposit was refused')
      accountIds.push(...ids)
    }
    return { tenantId, clients: registered, accountIds }
  } finally {
    await pools.close()
  }
}

function client(tenantId: string, at: Date) {
  return {
    tenantId,
    name: 'bench',
    kind: 'service',
    grantTypes: ['client_credentials'],
    scope: SCOPE,
    authMethod: 'client_secret_basic',
    at,
  } as const
}

function customer(tenantId: string, number: number, at: Date) {
  return {
    tenantId,
    key: `customer:${number}`,
    role: 'customer_funds',
    currency: 'EUR',
    name: `Customer ${number}`,
    minAvailable: 0n,
    at,
  }
}

function deposit(
  tenantId: string,
  { bankId, customerId, at }: { bankId: string; customerId: string; at: Date },
) {
  return {
    kind: 'post',
    type: 'deposit',
    tenantId,
    transactionId: newId(at),
    requestId: 'seed',
    at,
    legs: [
      { accountId: bankId, currency: 'EUR', amount: FUNDS },
      { accountId: customerId, currency: 'EUR', amount: -FUNDS },
    ],
  } as const
}
