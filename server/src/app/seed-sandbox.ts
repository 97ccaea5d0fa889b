import { systemActor } from '../platform/actor.ts'
import type { Sealing } from '../platform/crypto/sealing.ts'
import type { Tx } from '../platform/db/types.ts'
import { internalId, newId, publicId } from '../platform/ids.ts'
import { type Holding, assignHolders } from '../modules/banking/index.ts'
import {
  type AskedUser,
  type TenantRow,
  createClient,
  createTenant,
  createUsers,
  customerScopes,
  prepareUser,
} from '../modules/identity/index.ts'
import { openAccounts, openBooks, postEntries } from '../modules/ledger/index.ts'
import type { Credentials, SampleAccount } from './credentials.ts'

/** Keys of the sample accounts in the ledger. */
export const SAMPLE_ACCOUNT_KEYS: Readonly<Record<SampleAccount, string>> = {
  operating: 'operating:EUR',
  customer_a: 'customer_a:EUR',
  customer_b: 'customer_b:EUR',
}

const NAME = 'Sandbox'

/** Whether a tenant is the one that the sample data made. */
export function isSandbox({ name, mode }: TenantRow): boolean {
  return name === NAME && mode === 'sandbox'
}

const OPENING_BALANCE = 1_000_000n // minor units of each customer, so that a first transfer succeeds

/**
 * The sandbox of a new installation, exactly as `credentials` names it: tenant, books, accounts,
 * clients, people, and money for the sample customers. Run in one transaction, it is there or it is not.
 */
export async function seedSandbox(
  tx: Tx,
  credentials: Credentials,
  { sealing, at }: { readonly sealing: Sealing; readonly at: Date },
): Promise<void> {
  const tenantId = idOf('ten', credentials.tenant_id)
  await createTenant(tx, { tenantId, name: NAME, mode: 'sandbox', at })
  await openBooks(tx, { tenantId, timeZone: 'UTC' })
  await seedClients(tx, tenantId, credentials, at)
  await seedAccounts(tx, tenantId, credentials, at)
  const people = await seedPeople(tx, tenantId, credentials, { sealing, at })
  await assignHolders(tx, holdingsOf(tenantId, credentials, people, at))
}

async function seedClients(
  tx: Tx,
  tenantId: string,
  { clients: { backoffice, approver, app } }: Credentials,
  at: Date,
): Promise<void> {
  for (const [name, client] of Object.entries({ backoffice, approver })) {
    await createClient(tx, {
      tenantId,
      name,
      kind: 'service',
      grantTypes: ['client_credentials'],
      scope: client.scope,
      authMethod: 'client_secret_basic',
      identity: { clientId: client.client_id, clientSecret: client.client_secret },
      at,
    })
  }
  await createClient(tx, {
    tenantId,
    name: 'app',
    kind: 'third_party',
    grantTypes: ['authorization_code', 'refresh_token'],
    scope: [...customerScopes].join(' '),
    authMethod: 'client_secret_basic',
    redirectUris: app.redirect_uris,
    identity: { clientId: app.client_id, clientSecret: app.client_secret },
    at,
  })
}

/** Customers and operators; answers the party that each name stands for. */
async function seedPeople(
  tx: Tx,
  tenantId: string,
  { customers, operators }: Credentials,
  { sealing, at }: { readonly sealing: Sealing; readonly at: Date },
): Promise<ReadonlyMap<string, string>> {
  const asked: AskedUser[] = [
    ...customers.map(({ username, password }): AskedUser => {
      return { tenantId, kind: 'customer', username, displayName: nameOf(username), password, at }
    }),
    ...operators.map(({ username, password, totp_secret: totpSecret, roles }): AskedUser => {
      const displayName = nameOf(username)
      return { tenantId, kind: 'operator', username, displayName, password, totpSecret, roles, at }
    }),
  ]
  const people = await Promise.all(asked.map((person) => prepareUser(person, sealing)))
  if (people.length === 0) return new Map()
  const actor = systemActor('sample_data', tenantId)
  const requestId = publicId('req', newId(at))
  const requests = people.map((input) => ({ tenantId, actor, requestId, at, input }))
  const outcomes = await createUsers.run(tx, requests, undefined)
  const refused = outcomes.find((outcome) => !outcome.ok)
  if (refused?.ok === false) throw new Error(`sample people: ${refused.refusal.code}`)
  return new Map(people.map(({ username, partyId }) => [username, partyId]))
}

// `customer_a` is Customer A.
function nameOf(username: string): string {
  return username
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}

function holdingsOf(
  tenantId: string,
  { customers }: Credentials,
  parties: ReadonlyMap<string, string>,
  at: Date,
): Holding[] {
  return customers.flatMap(({ username, account_ids: accountIds }) =>
    accountIds.map((account) => ({
      tenantId,
      accountId: idOf('acc', account),
      partyId: parties.get(username) as string,
      at,
    })),
  )
}

async function seedAccounts(
  tx: Tx,
  tenantId: string,
  { accounts }: Credentials,
  at: Date,
): Promise<void> {
  const account = { tenantId, role: 'customer_funds', currency: 'EUR', at }
  const customers = [
    {
      key: SAMPLE_ACCOUNT_KEYS.customer_a,
      name: 'Customer A',
      accountId: idOf('acc', accounts.customer_a),
    },
    {
      key: SAMPLE_ACCOUNT_KEYS.customer_b,
      name: 'Customer B',
      accountId: idOf('acc', accounts.customer_b),
    },
  ]
  const ids = await openAccounts(tx, [
    {
      ...account,
      key: SAMPLE_ACCOUNT_KEYS.operating,
      name: 'Operating EUR',
      accountId: idOf('acc', accounts.operating),
    },
    { ...account, key: 'operating:USD', currency: 'USD', name: 'Operating USD' },
    { ...account, key: 'bank:EUR', role: 'bank', name: 'Bank EUR' },
    ...customers.map((customer) => ({ ...account, ...customer, minAvailable: 0n })),
  ])
  const bank = ids.get(`${tenantId} bank:EUR`) as string
  const outcomes = await postEntries(
    tx,
    customers.map(({ key, accountId }) => ({
      kind: 'post',
      tenantId,
      transactionId: newId(at),
      requestId: publicId('req', newId(at)),
      at,
      type: 'opening_balance',
      description: 'Opening balance of the sample data',
      dedupeKey: `opening_balance:${key}`,
      legs: [
        { accountId: bank, currency: 'EUR', amount: OPENING_BALANCE },
        { accountId, currency: 'EUR', amount: -OPENING_BALANCE },
      ],
    })),
  )
  const refused = outcomes.find((outcome) => !outcome.ok)
  if (refused?.ok === false) throw new Error(`opening balances: ${refused.refusal.code}`)
}

function idOf(prefix: string, text: string): string {
  const id = internalId(prefix, text)
  if (id === undefined) throw new Error(`${text} is no ${prefix}_… id`)
  return id
}
