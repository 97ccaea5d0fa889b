import {
  type HoldState,
  findCounterparts,
  fromNormalSide,
  instantOf,
  listEntries,
  listHolds,
} from '../ledger/index.ts'
import type { Db } from '../../platform/db/types.ts'
import { firstIdAt, publicId } from '../../platform/ids.ts'
import { toJsonAmount } from '../../platform/money.ts'
import type { Page } from '../../platform/page.ts'
import { masked } from './account.schema.ts'
import { numberOf } from './assign-holders.ts'
import { type BeneficiaryRow, findBeneficiaries } from './beneficiary.queries.ts'
import { type AccountFacts, findAccountFacts } from './holder.queries.ts'
import type { StatementLine } from './statement.schema.ts'
import { type TransferRow, findTransfersBehind } from './transfer.queries.ts'
import { CUSTOMER_FUNDS } from './view.ts'

/** What was paid into and out of one account, as its holder reads it. */

export interface StatementQuestion {
  readonly accountId: string
  /** Instants of RFC 3339, `from <= booked_at < to`. */
  readonly from: string | undefined
  readonly to: string | undefined
  readonly direction?: 'debit' | 'credit'
  readonly minAmount?: bigint
  readonly maxAmount?: bigint
  readonly showsBalance: boolean
}

/** A line and its place in the list. */
export interface PlacedLine {
  readonly line: StatementLine
  readonly place: readonly string[]
}

/** One more than the page holds, in the order of booking. */
export async function listBooked(
  db: Db,
  tenantId: string,
  { accountId, from, to, showsBalance, ...filters }: StatementQuestion,
  page: Page,
): Promise<PlacedLine[]> {
  const asked = { accountId, ...filters, ...(from && { from }), ...(to && { until: to }) }
  const rows = await listEntries(db, tenantId, asked, page)
  const transactionIds = rows.map((row) => row.transaction_id)
  const around = await surroundings(db, tenantId, { accountId, transactionIds, holdIds: [] })
  return rows.map((row) => ({
    place: [`${row.booked_micros}`, `${row.seq}`],
    line: {
      object: 'account_transaction',
      id: publicId('txn', row.transaction_id),
      ...wordsOf(around.byTransaction.get(row.transaction_id), accountId),
      booked_at: instantOf(row.booked_micros),
      value_date: row.effective_on,
      amount: toJsonAmount(row.amount > 0n ? row.amount : -row.amount),
      currency: row.currency,
      direction: row.amount > 0n ? 'debit' : 'credit',
      status: 'booked',
      balance_after: showsBalance
        ? toJsonAmount(fromNormalSide(row.balance_after, row.normal_side))
        : null,
      counterparty: around.counterpartyOf(row.transaction_id),
      type: row.type,
    },
  }))
}

/** The holds of an account that are open, one more than the page holds. */
export async function listPending(
  db: Db,
  tenantId: string,
  { accountId, from, to }: StatementQuestion,
  page: Page,
): Promise<PlacedLine[]> {
  const holds = await listHolds(
    db,
    tenantId,
    {
      accountId,
      status: 'pending',
      ...(from !== undefined && { from: firstIdAt(new Date(from)) }),
      ...(to !== undefined && { until: firstIdAt(new Date(to)) }),
    },
    page,
  )
  const holdIds = holds.map(({ holdId }) => holdId)
  const around = await surroundings(db, tenantId, { accountId, transactionIds: [], holdIds })
  return holds.map((hold) => {
    const transfer = around.byHold.get(hold.holdId)
    return {
      place: [hold.holdId],
      line: {
        object: 'account_transaction',
        id: publicId('hld', hold.holdId),
        ...wordsOf(transfer, accountId),
        booked_at: null,
        value_date: null,
        amount: toJsonAmount(restOf(hold)),
        currency: hold.currency,
        direction: hold.debitAccountId === accountId ? 'debit' : 'credit',
        status: 'pending',
        balance_after: null,
        counterparty: around.payeeOf(transfer),
        type: transfer === undefined ? 'hold' : 'transfer',
      },
    }
  })
}

function restOf({ amount, postedAmount, releasedAmount }: HoldState): bigint {
  return amount - postedAmount - releasedAmount
}

/** What the payer wrote; the payee learns nothing that only the payer can look up. */
function wordsOf(transfer: TransferRow | undefined, accountId: string) {
  const isPayer = transfer?.from_account_id === accountId
  return {
    transfer_id: transfer !== undefined && isPayer ? publicId('trf', transfer.id) : null,
    reference: transfer?.reference ?? null,
    end_to_end_id: transfer?.end_to_end_id ?? null,
  }
}

interface Places {
  readonly accountId: string
  readonly transactionIds: readonly string[]
  readonly holdIds: readonly string[]
}

/** The transfers behind lines, and who is on their other side. */
async function surroundings(db: Db, tenantId: string, places: Places) {
  const { transactionIds } = places
  const transfers = await findTransfersBehind(db, tenantId, places)
  const counterparts = await findCounterparts(db, tenantId, places)
  const customers = counterparts.filter(({ chart_role: role }) => role === CUSTOMER_FUNDS)
  const facts = await findAccountFacts(
    db,
    tenantId,
    customers.map((row) => row.account_id),
  )
  const beneficiaries = await beneficiariesOf(db, tenantId, transfers)
  const others = new Map<string, typeof customers>()
  for (const row of customers) {
    const known = others.get(row.transaction_id) ?? []
    others.set(row.transaction_id, [...known, row])
  }
  return {
    byTransaction: byKey(transfers, (row) => row.transaction_id),
    byHold: byKey(transfers, (row) => row.hold_id),
    /** Only a customer: the bank's own accounts are nobody's counterparty. */
    counterpartyOf(transactionId: string) {
      const [one, ...more] = others.get(transactionId) ?? []
      if (one === undefined || more.length > 0 || transactionIds.length === 0) return null
      return { name: one.name, account_masked: numberMasked(one.account_id, facts) }
    },
    payeeOf(transfer: TransferRow | undefined) {
      const row = transfer && beneficiaries.get(`${tenantId} ${transfer.beneficiary_id}`)
      if (row?.iban == null) return null
      return { name: row.name, account_masked: masked(row.iban) }
    },
  }
}

async function beneficiariesOf(
  db: Db,
  tenantId: string,
  transfers: readonly TransferRow[],
): Promise<Map<string, BeneficiaryRow>> {
  const ids = transfers.flatMap(({ beneficiary_id: id }) => (id === null ? [] : [id]))
  const pairs = [...new Set(ids)].map((id) => ({ tenantId, id }))
  return pairs.length === 0 ? new Map() : await findBeneficiaries(db, pairs)
}

function numberMasked(accountId: string, facts: ReadonlyMap<string, AccountFacts>): string {
  return masked(facts.get(accountId)?.number ?? numberOf(accountId))
}

function byKey(
  rows: readonly TransferRow[],
  keyOf: (row: TransferRow) => string | null,
): Map<string, TransferRow> {
  return new Map(
    rows.flatMap((row) => {
      const key = keyOf(row)
      return key === null ? [] : [[key, row] as const]
    }),
  )
}
