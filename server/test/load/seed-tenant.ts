import { createClient, createTenant } from '../../src/modules/identity/index.ts'
import { openAccounts, openBooks, postEntries } from '../../src/modules/ledger/index.ts'
import { type Connection, openPools } from '../../src/platform/db/pools.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import type { Tx } from '../../src/platform/db/types.ts'
import { newId } from '../../src/platform/ids.ts'

/** A tenant whose customers have money, and a client that may move it. */
export interface SeededTenant {
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
  /** Customers' accounts in EUR; uuids. */
  readonly accountIds: readonly string[]
}

const SCOPE = 'payments:read payments:write ledger:read ledger:write'
const FUNDS = 1_000_000_000_00n // enough for any run, whoever is picked
const CHUNK = 500

export async function seedTenant(connection: Connection, accounts: number): Promise<SeededTenant> {
  const pools = openPools(connection, () => undefined)
  const inMoney = <Result>(work: (tx: Tx) => Promise<Result>) => inTransaction(pools.money, work)
  try {
    const at = new Date()
    const tenant = await inMoney((tx) => createTenant(tx, { name: 'Bench', mode: 'sandbox', at }))
    const tenantId = tenant.tenant_id
    await inMoney((tx) => openBooks(tx, { tenantId, timeZone: 'UTC' }))
    const client = await inMoney((tx) =>
      createClient(tx, {
        tenantId,
        name: 'bench',
        kind: 'service',
        grantTypes: ['client_credentials'],
        scope: SCOPE,
        authMethod: 'client_secret_basic',
        at,
      }),
    )
    const bank = { tenantId, key: 'bank:EUR', role: 'bank', currency: 'EUR', name: 'Bank', at }
    const [bankId] = [...(await inMoney((tx) => openAccounts(tx, [bank]))).values()]
    const accountIds: string[] = []
    for (let from = 0; from < accounts; from += CHUNK) {
      const specs = Array.from({ length: Math.min(CHUNK, accounts - from) }, (_, index) => ({
        tenantId,
        key: `customer:${from + index}`,
        role: 'customer_funds',
        currency: 'EUR',
        name: `Customer ${from + index}`,
        minAvailable: 0n,
        at,
      }))
      const opened = await inMoney((tx) => openAccounts(tx, specs))
      const ids = [...opened.values()]
      await inMoney((tx) => postEntries(tx, ids.map((id) => deposit(tenantId, bankId ?? '', id, at))))
      accountIds.push(...ids)
    }
    return { tenantId, clientId: client.clientId, clientSecret: client.clientSecret ?? '', accountIds }
  } finally {
    await pools.close()
  }
}

function deposit(tenantId: string, bank: string, customer: string, at: Date) {
  return {
    kind: 'post',
    type: 'deposit',
    tenantId,
    transactionId: newId(at),
    requestId: 'seed',
    at,
    legs: [
      { accountId: bank, currency: 'EUR', amount: FUNDS },
      { accountId: customer, currency: 'EUR', amount: -FUNDS },
    ],
  } as const
}
