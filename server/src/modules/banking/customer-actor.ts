import type { ConsentAsk } from '../identity/index.ts'
import type { Actor } from '../../platform/actor.ts'

/** The customer at the consent page, for audit rows: it holds no scope and passes no gate. */
export function customerOf(
  { tenantId, client: { clientId }, user: { userId } }: ConsentAsk,
  origin: string,
): Actor {
  return {
    kind: 'app',
    tenantId,
    tenantMode: 'live',
    id: userId,
    clientId,
    scopes: new Set(),
    principal: `${clientId} ${userId}`,
    origin,
  }
}
