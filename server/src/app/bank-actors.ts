import { LRUCache } from 'lru-cache'
import { findActiveClient } from '../modules/identity/index.ts'
import type { Actor } from '../platform/actor.ts'
import type { Db } from '../platform/db/types.ts'

const MAX_CLIENTS = 10_000 // some 1 MB

/**
 * Tells who works for the bank: its operators and its own systems. An app of somebody else may also
 * hold a token for itself; that one stands for no customer, and sees no account.
 */
export function bankActors(db: Db): (actor: Actor) => boolean | Promise<boolean> {
  const known = new LRUCache<string, boolean>({ max: MAX_CLIENTS }) // the kind of a client never changes

  async function ask(clientId: string): Promise<boolean> {
    const client = await findActiveClient(db, clientId)
    if (client === undefined) return false
    const ours = client.kind !== 'third_party'
    known.set(clientId, ours)
    return ours
  }

  return ({ kind, clientId }) => {
    if (kind === 'operator') return true
    if (kind !== 'client' || clientId === undefined) return false
    return known.get(clientId) ?? ask(clientId)
  }
}
