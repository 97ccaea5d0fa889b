import { actOf, recordAudit } from '../audit/index.ts'
import { type BalanceRow, findBalances, openAccounts } from '../ledger/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { emit } from '../../platform/events/events.ts'
import { refuse } from './banking.errors.ts'
import { beneficiaryEvent } from './banking.events.ts'
import { type BeneficiaryRow, insertBeneficiaries } from './beneficiary.queries.ts'
import { type LockedConsents, lockConsentsOf, lockedView } from './lock-consents.ts'
import { outgoingClearing } from './transfer-postings.ts'
import { CUSTOMER_FUNDS, viewFault } from './view.ts'

export interface NewBeneficiary {
  readonly id: string
  readonly name: string
  /** Exactly one of the two is set; the IBAN has been checked. */
  readonly accountId: string | null
  readonly iban: string | null
  /** Null: that of the account. */
  readonly currency: string | null
  readonly isBank: boolean
}

type Request = Asked<NewBeneficiary>

/** Saves payees on the list of the customer that the app acts for, or on the bank's own. */
export const createBeneficiaries: Command<NewBeneficiary, BeneficiaryRow> = {
  name: 'create_beneficiaries',
  mixesTenants: true,
  async run(tx, requests) {
    await openClearing(tx, requests)
    const locked = await lockConsentsOf(tx, requests)
    const accounts = await findBalances(
      tx,
      requests.map(({ tenantId, input }) => ({ tenantId, id: input.accountId ?? NOWHERE })),
    )
    const known = new Map(accounts.map((row) => [`${row.tenant_id} ${row.account_id}`, row]))
    const outcomes = requests.map((request) => judge(request, locked, known))
    const made = outcomes.flatMap((outcome, index) =>
      outcome.ok ? [{ row: outcome.value, request: requests[index] as Request }] : [],
    )
    pipelined(
      tx,
      insertBeneficiaries(
        tx,
        made.map(({ row }) => row),
      ),
    )
    recordAudit(tx, made.map(actOfCreation))
    emit(
      tx,
      made.map(({ row, request }) => beneficiaryEvent('created', row, request)),
    )
    return outcomes
  },
}

const NOWHERE = '00000000-0000-0000-0000-000000000000'

/** What is sent to the payee will wait there: a transfer opens no account. */
async function openClearing(tx: Tx, requests: readonly Request[]): Promise<void> {
  const specs = requests.flatMap(({ tenantId, at, input: { iban, currency } }) =>
    iban === null || currency === null ? [] : [outgoingClearing(tenantId, currency, at)],
  )
  if (specs.length > 0) await openAccounts(tx, specs)
}

function judge(
  request: Request,
  locked: LockedConsents,
  known: ReadonlyMap<string, BalanceRow>,
): Outcome<BeneficiaryRow> {
  const { tenantId, actor, at, input } = request
  const fault = viewFault(lockedView(locked, request, input.isBank), 'transfer:write', at)
  if (fault !== undefined) return fault
  const account = known.get(`${tenantId} ${input.accountId}`)
  const isOurs = account?.chart_role === CUSTOMER_FUNDS
  const currency = input.iban === null ? account?.currency : input.currency
  if ((input.iban === null && !isOurs) || currency === undefined || currency === null) {
    return refuse('bank_account_not_found', { errors: [NO_ACCOUNT] })
  }
  return accept({
    tenant_id: tenantId,
    id: input.id,
    version: 1,
    event_sequence: 1,
    party_id: actor.user?.partyId ?? null,
    name: input.name,
    account_id: input.accountId,
    iban: input.iban,
    currency,
    created_by: actor.id,
    created_at: at,
    updated_at: at,
    deleted_at: null,
  })
}

const NO_ACCOUNT = {
  pointer: '#/account_id',
  code: 'not_allowed',
  detail: 'names no account of this bank',
} as const

function actOfCreation({ row, request }: { row: BeneficiaryRow; request: Request }) {
  return actOf(request, {
    action: 'beneficiary.create',
    resourceKind: 'beneficiary',
    resourceId: row.id,
    detail: { kind: row.iban === null ? 'internal' : 'external', currency: row.currency },
  })
}
