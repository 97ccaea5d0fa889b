import type { ConsentAsk, ConsentChoice, ConsentDecision } from '../identity/index.ts'
import { recordAudit } from '../audit/index.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'
import { emit } from '../../platform/events/events.ts'
import { internalId, newId, publicId } from '../../platform/ids.ts'
import { consentEvent } from './banking.events.ts'
import {
  type BoundPayment,
  type ConsentRow,
  insertConsents,
  lockConsents,
  updateAnswered,
} from './consent.queries.ts'
import { consentStates } from './consent.states.ts'
import { type Terms, preparedId, termsOf } from './consent-terms.ts'
import { customerOf } from './customer-actor.ts'
import { offeredAccounts } from './offered-accounts.ts'

/** Keeps what a customer has decided on the consent page, under the grant that the page made. */
export async function authoriseConsent(
  tx: Tx,
  ask: ConsentAsk,
  choice: ConsentChoice,
): Promise<ConsentDecision> {
  const { at } = choice
  const prepared = await lockPrepared(tx, ask, at)
  const judged = termsOf(ask, prepared, at)
  if (!judged.ok) return judged
  const { terms } = judged
  const offered = await offeredAccounts(tx, { ...ask.user, tenantId: ask.tenantId }, terms)
  const held = offered.map(({ row }) => row.account_id)
  const chosen = chosenOf(terms, choice, held)
  if (!chosen.ok) return chosen
  const row = consentRow(ask, choice, terms, { prepared, accountIds: chosen.accountIds })
  if (prepared === undefined) pipelined(tx, insertConsents(tx, [row]))
  else pipelined(tx, updateAnswered(tx, row))
  const requestId = publicId('req', newId(at))
  recordAudit(tx, [
    {
      actor: customerOf(ask, choice.actorOrigin),
      requestId,
      at,
      action: 'consent.authorise',
      resourceKind: 'consent',
      resourceId: row.id,
      detail: { permissions: row.permissions, accounts: row.account_ids.length },
    },
  ])
  emit(tx, [consentEvent(row, { at, requestId })])
  return {
    ok: true,
    consent: {
      expiresAt: row.valid_until,
      scopes: row.permissions,
      authorizationDetails: grantedDetails(ask, row),
    },
  }
}

async function lockPrepared(tx: Tx, ask: ConsentAsk, at: Date): Promise<ConsentRow | undefined> {
  const id = preparedId(ask)
  if (id === undefined) return undefined
  const [row] = await lockConsents(tx, ask.tenantId, { ids: [id] })
  const fits =
    row?.client_id === ask.client.clientId &&
    consentStates.next(row.state, 'authorised') !== undefined &&
    row.valid_until > at
  return fits ? row : undefined
}

type Chosen =
  | { readonly ok: true; readonly accountIds: readonly string[] }
  | { readonly ok: false; readonly message: string }

/** The accounts of a consent: of those offered, and enough of them for what it allows. */
function chosenOf(
  { permissions, payment }: Terms,
  { accountIds }: ConsentChoice,
  held: readonly string[],
): Chosen {
  const named = accountIds.map((id) => internalId('acc', id))
  const chosen = [...new Set(named)].flatMap((id) => id ?? [])
  if (named.includes(undefined) || chosen.some((id) => !held.includes(id))) {
    return { ok: false, message: 'Choose among the accounts that are shown.' }
  }
  if (payment !== null) {
    const from = payment.fromAccountId === null ? chosen : held
    if (from.length === 1) return { ok: true, accountIds: from }
    return { ok: false, message: 'Choose the one account that you want to pay from.' }
  }
  const needsAccounts = permissions.some((one) => !one.startsWith('consents:'))
  if (chosen.length > 0 || !needsAccounts) return { ok: true, accountIds: chosen }
  return { ok: false, message: 'Choose at least one account.' }
}

function consentRow(
  { tenantId, client, user }: ConsentAsk,
  { grantId, at }: ConsentChoice,
  terms: Terms,
  { prepared, accountIds }: { prepared: ConsentRow | undefined; accountIds: readonly string[] },
): ConsentRow {
  const { limits, payment } = terms
  return {
    tenant_id: tenantId,
    id: prepared?.id ?? newId(at),
    version: (prepared?.version ?? 0) + 1,
    event_sequence: (prepared?.event_sequence ?? 0) + 1,
    state: 'authorised',
    client_id: client.clientId,
    client_profile: client.profile,
    user_id: user.userId,
    party_id: user.partyId,
    grant_id: grantId,
    permissions: [...terms.permissions],
    account_ids: [...accountIds],
    max_amount: limits.maxAmount,
    per_day: limits.perDay,
    per_month: limits.perMonth,
    count_per_day: limits.countPerDay,
    payment: payment && boundPayment(payment, accountIds[0] as string),
    valid_until: terms.validUntil,
    transactions_from: terms.transactionsFrom,
    transactions_to: terms.transactionsTo,
    created_by: prepared?.created_by ?? user.userId,
    created_at: prepared?.created_at ?? at,
    authorised_at: at,
    revoked_at: null,
    revoked_by: null,
    last_used_at: null,
  }
}

function boundPayment(
  { toAccountId, amount, currency, reference }: NonNullable<Terms['payment']>,
  from: string,
): BoundPayment {
  return {
    from_account_id: from,
    to_account_id: toAccountId,
    amount: `${amount}`,
    currency,
    reference,
  }
}

/** RFC 9396 §7: what was granted, with what the customer filled in. The consent decides, not this copy. */
function grantedDetails({ authorizationDetails }: ConsentAsk, row: ConsentRow) {
  const consentId = publicId('con', row.id)
  const accounts = row.account_ids.map((id) => publicId('acc', id))
  return authorizationDetails.map((detail) =>
    detail['type'] === 'payment_initiation'
      ? { ...detail, consent_id: consentId, from_account_id: accounts[0] }
      : {
          ...detail,
          consent_id: consentId,
          account_ids: accounts,
          valid_until: row.valid_until.toISOString(),
        },
  )
}
