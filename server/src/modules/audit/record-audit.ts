import type { Actor } from '../../platform/actor.ts'
import type { Asked } from '../../platform/command.ts'
import { statement } from '../../platform/db/statement.ts'
import { newId } from '../../platform/ids.ts'

/** One act worth proving later: who did what to which object, with what outcome. */
export interface Act {
  readonly actor: Actor
  readonly requestId: string
  readonly at: Date
  /** From a closed list in code, `noun.verb`: `payment.create`. */
  readonly action: string
  readonly resourceKind: string
  readonly resourceId: string
  readonly outcome?: 'success' | 'refused' | 'error'
  readonly reason?: string
  /** Small facts: amounts, states. Never personal data, never a secret. */
  readonly detail?: object
}

/** The act of a request upon an object. */
export function actOf(
  { actor, requestId, at }: Pick<Asked<unknown>, 'actor' | 'requestId' | 'at'>,
  act: Omit<Act, 'actor' | 'requestId' | 'at'>,
): Act {
  return { actor, requestId, at, ...act }
}

/** Writes audit rows in the business transaction, one statement per batch. */
export function recordAudit(tx: object, acts: readonly Act[]): void {
  if (acts.length === 0) return
  insertActs.send(
    tx,
    acts.map(({ actor }) => actor.tenantId),
    acts.map(({ at }) => at),
    acts.map(({ at }) => newId(at)),
    acts.map(({ actor }) => actor.kind),
    acts.map(({ actor }) => actor.id),
    acts.map(({ action }) => action),
    acts.map(({ outcome }) => outcome ?? 'success'),
    acts.map(({ reason }) => reason ?? null),
    acts.map(({ resourceKind }) => resourceKind),
    acts.map(({ resourceId }) => resourceId),
    acts.map(({ actor }) => actor.origin),
    acts.map(({ requestId }) => requestId),
    acts.map(({ detail }) => detail ?? null),
    acts.map(({ actor }) => programBehind(actor)),
  )
}

/** The program that a person acted through. A client that acts for itself is the actor already. */
function programBehind({ id, clientId }: Actor): string | null {
  return clientId === undefined || clientId === id ? null : clientId
}

const insertActs = statement(`
  insert into audit.events (tenant_id, at, id, actor_kind, actor_id, action, outcome, reason,
                            resource_kind, resource_id, origin, request_id, detail, via_client)
  select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                       $7::text[], $8::text[], $9::text[], $10::uuid[], $11::text[], $12::text[],
                       $13::jsonb[], $14::text[])`)
