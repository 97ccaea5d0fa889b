import { actOf, recordAudit } from '../audit/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { emit } from '../../platform/events/events.ts'
import { refuse } from './banking.errors.ts'
import { consentEvent } from './banking.events.ts'
import { type ConsentRow, insertConsents } from './consent.queries.ts'
import { type Limits, latestEnd } from './consent-terms.ts'
import type { Permission } from './consent.permissions.ts'

export interface NewConsent {
  readonly id: string
  readonly permissions: readonly Permission[]
  readonly limits: Limits
  readonly validUntil: Date
  readonly transactionsFrom: Date | null
  readonly transactionsTo: Date | null
}

/** Apps say beforehand what they will ask customers for; nobody has consented yet. */
export const createConsents: Command<NewConsent, ConsentRow> = {
  name: 'create_consents',
  mixesTenants: true,
  run(tx, requests) {
    const outcomes = requests.map(judge)
    const made = outcomes.flatMap((outcome, index) =>
      outcome.ok ? [{ row: outcome.value, request: requests[index] as Asked<NewConsent> }] : [],
    )
    pipelined(
      tx,
      insertConsents(
        tx,
        made.map(({ row }) => row),
      ),
    )
    recordAudit(
      tx,
      made.map(({ row, request }) =>
        actOf(request, {
          action: 'consent.create',
          resourceKind: 'consent',
          resourceId: row.id,
          detail: { permissions: row.permissions },
        }),
      ),
    )
    emit(
      tx,
      made.map(({ row, request }) => consentEvent(row, request)),
    )
    return Promise.resolve(outcomes)
  },
}

function judge({ tenantId, actor, at, input }: Asked<NewConsent>): Outcome<ConsentRow> {
  const { validUntil, transactionsFrom: from, transactionsTo: to } = input
  const invalid = (field: string, detail: string) =>
    refuse('consent_terms_invalid', {
      errors: [{ pointer: `#/${field}`, code: 'not_allowed', detail }],
    })
  if (validUntil <= at) return invalid('valid_until', 'must be in the future')
  if (validUntil > latestEnd(at)) return invalid('valid_until', 'must be within 180 days')
  if (from !== null && to !== null && from >= to) {
    return invalid('transactions_to', 'must be after transactions_from')
  }
  const { limits } = input
  return accept({
    tenant_id: tenantId,
    id: input.id,
    version: 1,
    event_sequence: 1,
    state: 'awaiting_authorisation',
    client_id: actor.clientId ?? actor.id,
    client_profile: 'standard', // told by the authorization request, which says who asks
    user_id: null,
    party_id: null,
    grant_id: null,
    permissions: [...input.permissions],
    account_ids: [],
    max_amount: limits.maxAmount,
    per_day: limits.perDay,
    per_month: limits.perMonth,
    count_per_day: limits.countPerDay,
    payment: null,
    valid_until: validUntil,
    transactions_from: from,
    transactions_to: to,
    created_by: actor.id,
    created_at: at,
    authorised_at: null,
    revoked_at: null,
    revoked_by: null,
    last_used_at: null,
  })
}
