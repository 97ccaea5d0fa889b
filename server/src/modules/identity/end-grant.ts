import { type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Pool } from 'pg'
import { recordAudit } from '../audit/index.ts'
import type { Actor } from '../../platform/actor.ts'
import type { Clock } from '../../platform/clock.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { internalId, newId, publicId } from '../../platform/ids.ts'
import { hashOfId } from './artifact-id.ts'
import { lockGrant, tenantOfGrant } from './artifact.queries.ts'
import { oursOf } from './clients/library-client.ts'
import type { ConsentSlot } from './consent-slot.ts'
import { revokeGrants } from './revoke-tokens.ts'

/** What an end of a grant touches: tokens here, the consent above, and the record of who did it. */
export interface GrantEnding {
  readonly pool: Pool
  readonly clock: Clock
  readonly consents: Pick<ConsentSlot, 'grantsEnded'> | undefined
}

export function newGrantId(at: Date): string {
  return publicId('grt', newId(at))
}

/**
 * Ends a grant for the reason that the request at hand gives, in one transaction: its codes and
 * refresh tokens, its access tokens on every node, and the consent. The library would delete rows
 * and tell listeners that nobody waits for. Ending one that has ended does nothing.
 */
export async function endGrant(
  { pool, clock, consents }: GrantEnding,
  grantId: string,
): Promise<void> {
  const ctx = Provider.ctx
  const reason = reasonOf(ctx)
  const at = clock.now()
  await inTransaction(pool, async (tx) => {
    const idHash = hashOfId(grantId)
    const tenantId = await tenantOfGrant(tx, idHash)
    if (tenantId === undefined) return
    const ended = [{ tenantId, grantId, reason, at }]
    // The consent first, as whoever withdraws it does: two that end one grant wait for each other.
    await consents?.grantsEnded(tx, ended)
    if (!(await lockGrant(tx, idHash))) return
    await revokeGrants(tx, ended)
    const resourceId = internalId('grt', grantId)
    if (resourceId === undefined) return
    recordAudit(tx, [
      {
        actor: actorOf(ctx, tenantId),
        requestId: publicId('req', newId(at)),
        at,
        action: 'grant.end',
        resourceKind: 'grant',
        resourceId,
        reason,
      },
    ])
  })
}

/** The library ends a grant on four occasions; which one it is, the request tells. */
function reasonOf(ctx: KoaContextWithOIDC | undefined): string {
  const route = ctx?.oidc.route
  if (route === 'revocation') return 'revoked_by_client'
  if (route === 'end_session_confirm') return 'signed_out'
  return ctx?.oidc.entities.RefreshToken === undefined ? 'code_reused' : 'refresh_token_reused'
}

function actorOf(ctx: KoaContextWithOIDC | undefined, tenantId: string): Actor {
  const client = ctx?.oidc.client
  const id = client?.clientId ?? 'sys:authorization_server'
  return {
    kind: client === undefined ? 'system' : 'client',
    tenantId,
    tenantMode: client === undefined ? 'live' : oursOf(client).tenant_mode,
    id,
    scopes: new Set(),
    principal: id,
    origin: ctx?.ip ?? 'authorization_server',
  }
}
