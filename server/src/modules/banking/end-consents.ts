import type { EndedGrant } from '../identity/index.ts'
import { type Act, recordAudit } from '../audit/index.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'
import { emit } from '../../platform/events/events.ts'
import { consentEvent } from './banking.events.ts'
import { type ConsentRow, updateConsents } from './consent.queries.ts'
import { consentStates } from './consent.states.ts'

/** Who ends a consent, why and when; the moment of its event and audit row. */
export type Ending = Pick<Act, 'actor' | 'requestId' | 'at'> & {
  readonly by: 'revoked' | 'rejected'
  readonly reason?: string
}

/**
 * Ends locked consents, those that have not ended yet, and answers which those were. The caller ends
 * their grants.
 */
export function endConsents(tx: Tx, endings: ReadonlyMap<ConsentRow, Ending>): ConsentRow[] {
  const ended = [...endings].flatMap(([row, ending]) => {
    const state = consentStates.next(row.state, ending.by)
    if (state === undefined) return []
    row.state = state
    row.version += 1
    row.event_sequence += 1
    if (state === 'revoked') {
      row.revoked_at = ending.at
      row.revoked_by = ending.actor.id
    }
    return [{ row, ending }]
  })
  const rows = ended.map(({ row }) => row)
  pipelined(tx, updateConsents(tx, rows))
  recordAudit(
    tx,
    ended.map(({ row, ending: { by, actor, requestId, at, reason } }) => ({
      actor,
      requestId,
      at,
      action: by === 'revoked' ? 'consent.revoke' : 'consent.reject',
      resourceKind: 'consent',
      resourceId: row.id,
      ...(reason !== undefined && { reason }),
    })),
  )
  emit(
    tx,
    ended.map(({ row, ending }) => consentEvent(row, ending)),
  )
  return rows
}

/** The grants under consents that were revoked. */
export function grantsOf(ended: readonly ConsentRow[], reason: string): EndedGrant[] {
  return ended.flatMap(({ tenant_id: tenantId, grant_id: grantId, revoked_at: at }) =>
    grantId === null || at === null ? [] : [{ tenantId, grantId, reason, at }],
  )
}
