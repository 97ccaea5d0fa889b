import { LRUCache } from 'lru-cache'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Pool } from 'pg'
import { DatabaseUnavailable } from '../../../platform/db/transaction.ts'
import type { Db } from '../../../platform/db/types.ts'
import { type ClientKind, findActiveClient, listActiveClients } from './client.queries.ts'
import { metadataOf, rulesView } from './client-metadata.ts'
import { clientFault } from './client.rules.ts'
import { orUnavailable } from '../temporarily-unavailable.ts'

const CACHE_MS = 5_000 // Shorter: a database read per token. Longer: a disabled client still gets tokens.
const CACHE_CLIENTS = 10_000 // some 10 MB

/** Reads clients for the authorization server, through a short cache. Disabled ones are not there. */
export interface ClientDirectory {
  readonly adapter: Adapter
  /** Undefined for a client that is not active. Throws `DatabaseUnavailable`. */
  kindOf(clientId: string): Promise<ClientKind | undefined>
  /** Forgets what it knows about a client that was changed on this node. */
  forget(clientId: string): void
}

export function openClientDirectory(pool: Pool): ClientDirectory {
  const cache = new LRUCache<string, AdapterPayload>({
    max: CACHE_CLIENTS,
    ttl: CACHE_MS,
    fetchMethod: async (clientId) => {
      const row = await orUnavailable(pool, (tx) => findActiveClient(tx, clientId))
      return row === undefined ? undefined : metadataOf(row)
    },
  })
  return {
    adapter: {
      // PostgreSQL keeps no NUL, and fails when it is asked for one.
      find: (id) => (id.includes('\0') ? Promise.resolve(undefined) : cache.fetch(id)),
      upsert: refuse,
      findByUserCode: refuse,
      findByUid: refuse,
      consume: refuse,
      destroy: refuse,
      revokeByGrantId: refuse,
    },
    async kindOf(clientId) {
      try {
        return (await cache.fetch(clientId))?.['kind'] as ClientKind | undefined
      } catch (error) {
        const { cause } = error as Error
        throw cause instanceof DatabaseUnavailable ? cause : error
      }
    },
    forget: (clientId) => {
      cache.delete(clientId)
    },
  }
}

const PAGE = 1_000

/** At boot: a client that today's rules forbid must be mended or disabled before anybody is served. */
export async function assertStoredClients(db: Db): Promise<void> {
  let after = ''
  for (;;) {
    const rows = await listActiveClients(db, after, PAGE)
    const faults = rows.flatMap((row) => {
      const fault = clientFault(rulesView(row))
      return fault === undefined ? [] : [`${row.client_id}: ${fault}`]
    })
    if (faults.length > 0) throw new Error(`stored clients break the rules: ${faults.join('; ')}`)
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) return
    after = last.client_id
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('the authorization server only reads clients'))
}
