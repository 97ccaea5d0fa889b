import type { Pool } from 'pg'
import type { Customer, CustomerConsents, StandingConsent } from '../identity/index.ts'
import { listAccounts } from '../ledger/index.ts'
import type { Actor } from '../../platform/actor.ts'
import type { Clock } from '../../platform/clock.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import type { Db } from '../../platform/db/types.ts'
import { internalId, publicId } from '../../platform/ids.ts'
import { type BoundPayment, type ConsentRow, listStandingConsents } from './consent.queries.ts'
import { isPermission, permissions as sentences } from './consent.permissions.ts'
import { limitLines, paymentWords } from './describe-consent.ts'
import { findAccountFacts } from './holder.queries.ts'
import { labelOf } from './offered-accounts.ts'
import { withdrawConsents } from './withdraw-consents.ts'

/** What a customer sees and does about consents on the bank's own pages, over their tables. */
export function customerConsents({
  pool,
  db,
  clock,
}: {
  /** Where withdrawals are written. */
  readonly pool: Pool
  readonly db: Db
  readonly clock: Clock
}): CustomerConsents {
  return {
    async list(customer) {
      const { tenantId, userId, partyId } = customer
      const asked = { userId, partyId, now: clock.now() }
      const rows = await listStandingConsents(db, tenantId, asked)
      const accounts = await accountsOf(db, tenantId, rows)
      return await Promise.all(rows.map((row) => standingOf(db, row, accounts)))
    },
    async withdraw(customer, { consentId: shown, origin, requestId, at }) {
      const consentId = internalId('con', shown)
      if (consentId === undefined) return false
      const { tenantId } = customer
      const actor = actorOf(customer, { origin, at })
      const asked = { tenantId, actor, requestId, at, input: { consentId, isBank: false } }
      const [outcome] = await inTransaction(pool, (tx) =>
        withdrawConsents.run(tx, [asked], undefined),
      )
      return outcome?.ok === true
    },
  }
}

interface KnownAccount {
  readonly label: string
  readonly currency: string
}

async function accountsOf(
  db: Db,
  tenantId: string,
  consents: readonly ConsentRow[],
): Promise<ReadonlyMap<string, KnownAccount>> {
  const ids = [...new Set(consents.flatMap((row) => row.account_ids))]
  if (ids.length === 0) return new Map()
  const page = { limit: ids.length, order: 'asc' } as const
  const [rows, facts] = await Promise.all([
    listAccounts(db, tenantId, { ids }, page),
    findAccountFacts(db, tenantId, ids),
  ])
  return new Map(
    rows.map((row) => {
      const { account_id: id, currency } = row
      return [id, { label: labelOf(row, facts.get(id)), currency }]
    }),
  )
}

async function standingOf(
  db: Db,
  row: ConsentRow,
  accounts: ReadonlyMap<string, KnownAccount>,
): Promise<StandingConsent> {
  const known = row.account_ids.flatMap((id) => accounts.get(id) ?? [])
  const { payment } = row
  const currencies = known.map(({ currency }) => currency)
  return {
    id: publicId('con', row.id),
    clientId: row.client_id,
    accounts: known.map(({ label }) => label),
    permissions: row.permissions.filter(isPermission).map((one) => sentences[one]),
    limits: payment === null ? limitLines(limitsOf(row), currencies) : ['This payment, once.'],
    ...(payment !== null && { payment: await paymentWords(db, row.tenant_id, askedOf(payment)) }),
    givenAt: row.authorised_at ?? row.created_at,
    validUntil: row.valid_until,
    ...(row.permissions.includes('transfer:write') && { lastTransferAt: row.last_used_at }),
  }
}

function limitsOf(row: ConsentRow) {
  return {
    maxAmount: row.max_amount,
    perDay: row.per_day,
    perMonth: row.per_month,
    countPerDay: row.count_per_day,
  }
}

function askedOf({ to_account_id: toAccountId, amount, currency, reference }: BoundPayment) {
  return { toAccountId, amount: BigInt(amount), currency, reference }
}

/** The customer at the bank's own pages: no app is between, and no grant is spent. */
function actorOf(
  { tenantId, userId, partyId }: Customer,
  { origin, at }: { readonly origin: string; readonly at: Date },
): Actor {
  return {
    kind: 'app',
    tenantId,
    tenantMode: 'live',
    id: userId,
    user: { id: userId, partyId, grantId: '', acr: 'ch:1', amr: [], authenticatedAt: at },
    scopes: new Set(),
    principal: userId,
    origin,
  }
}
