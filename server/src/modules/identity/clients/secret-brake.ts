import { LRUCache } from 'lru-cache'
import { errors } from 'oidc-provider'
import type { Pool } from 'pg'
import { recordAudit } from '../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { internalId, newId, publicId } from '../../../platform/ids.ts'

/**
 * Wrong secrets of a client, from one address. Whoever guesses is turned away for the rest of the
 * minute, also with the right one; the client itself, at another address, notices nothing. Counted
 * in the process: a secret has 256 bits, so this spares work and makes noise visible, no more.
 */
export interface SecretBrake {
  /** @throws 429 of OAuth's shape when there were too many. */
  check(client: GuessedClient, origin: string): void
  failed(client: GuessedClient, origin: string): void
}

export interface GuessedClient {
  readonly clientId: string
  readonly tenant_id: string
}

const MAX_FAILURES = 20 // Fewer: a deployment with a stale secret locks itself out at once.
export const WINDOW_SECONDS = 60
const MAX_PAIRS = 10_000 // client and address; some 2 MB

interface BrakeParts {
  readonly pool: Pool
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export function createSecretBrake({ pool, clock, onError }: BrakeParts): SecretBrake {
  const failures = new LRUCache<string, { count: number; readonly until: number }>({
    max: MAX_PAIRS,
  })

  function countOf(client: GuessedClient, origin: string) {
    const known = failures.get(nameOf(client, origin))
    return known !== undefined && clock.now().getTime() < known.until ? known : undefined
  }

  return {
    check(client, origin) {
      const { count = 0 } = countOf(client, origin) ?? {}
      if (count >= MAX_FAILURES) throw tooMany()
    },
    failed(client, origin) {
      const known = countOf(client, origin)
      const until = clock.now().getTime() + WINDOW_SECONDS * 1_000
      const counted = known ?? { count: 0, until }
      counted.count += 1
      if (known === undefined) failures.set(nameOf(client, origin), counted)
      // Once a minute: an attacker must not fill the audit trail.
      if (counted.count === MAX_FAILURES) record(client, origin).catch(onError)
    },
  }

  async function record({ clientId, tenant_id: tenantId }: GuessedClient, origin: string) {
    const resourceId = internalId('cli', clientId)
    if (resourceId === undefined) return
    const at = clock.now()
    const actor = {
      kind: 'client',
      tenantId,
      tenantMode: 'live',
      id: clientId,
      scopes: new Set<string>(),
      principal: clientId,
      origin,
    } as const
    const act = {
      actor,
      requestId: publicId('req', newId(at)),
      at,
      action: 'client.authenticate',
      outcome: 'refused',
      reason: 'too_many_wrong_secrets',
      resourceKind: 'client',
      resourceId,
    } as const
    await inTransaction(pool, (tx) => Promise.resolve(recordAudit(tx, [act])))
  }
}

function nameOf({ clientId }: GuessedClient, origin: string): string {
  return `${clientId} ${origin}`
}

function tooMany(): errors.CustomOIDCProviderError {
  const error = new errors.CustomOIDCProviderError(
    'temporarily_unavailable',
    'too many wrong secrets from this address: wait a minute',
  )
  error.status = error.statusCode = 429
  return error
}
