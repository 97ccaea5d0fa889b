import type { RevocationKind, RevocationRow } from './revocation.queries.ts'

/** What of an issued token a revocation can name. */
export interface IssuedToken {
  readonly tenantId: string
  readonly clientId: string
  /** `usr_…`, or the client's id again. */
  readonly subject: string
  readonly jti: string
  readonly grantId?: string | undefined
  /** Milliseconds. */
  readonly issuedAt: number
}

/** Which issued tokens were ended, by the rows of `identity.revocations` that this node has seen. */
export interface EndedTokens {
  /** Changes whenever the set does: what was found clean at a version is clean while it lasts. */
  version(): number
  /** Whether any of the rows ends this token. */
  hasEnded(token: IssuedToken): boolean
  /** Calls back with each client that was revoked, on any node. */
  onClient(heard: (clientId: string) => void): void
  /** A row seen again changes nothing. */
  remember(row: RevocationRow): void
}

const SWEEP_ROWS = 1_000 // fewer rows may stay beyond their use

// Rows are made to last 16 minutes: of two of which one was made an hour after the other, the older
// ends no living token.
const SWEPT_AFTER_MS = 3_600_000

interface Ended {
  readonly notBefore: number
  readonly dropAfter: number
}

export function createEndedTokens(): EndedTokens {
  const ended = new Map<string, Ended>()
  const listeners: ((clientId: string) => void)[] = []
  let version = 0
  let sweepAt = SWEEP_ROWS

  // The newest row tells the time closely enough: what goes must only be old enough.
  function sweep(): void {
    let newest = 0
    for (const { dropAfter } of ended.values()) newest = Math.max(newest, dropAfter)
    for (const [key, { dropAfter }] of ended) {
      if (dropAfter < newest - SWEPT_AFTER_MS) ended.delete(key)
    }
    sweepAt = Math.max(SWEEP_ROWS, ended.size * 2)
  }

  function isIn(key: string, issuedAt: number): boolean {
    const entry = ended.get(key)
    return entry !== undefined && issuedAt <= entry.notBefore
  }

  return {
    version: () => version,
    hasEnded({ tenantId, clientId, subject, jti, grantId, issuedAt }) {
      if (ended.size === 0) return false
      return (
        ended.has(keyOf('jti', tenantId, jti)) ||
        (grantId !== undefined && ended.has(keyOf('grant', tenantId, grantId))) ||
        isIn(keyOf('client', tenantId, clientId), issuedAt) ||
        isIn(keyOf('subject', tenantId, subject), issuedAt) ||
        isIn(keyOf('tenant', tenantId, tenantId), issuedAt)
      )
    },
    onClient: (heard) => void listeners.push(heard),
    remember({ tenant_id, kind, value, not_before, drop_after }) {
      const key = keyOf(kind, tenant_id, value)
      const entry = { notBefore: not_before.getTime(), dropAfter: drop_after.getTime() }
      const known = ended.get(key)
      if (known?.notBefore === entry.notBefore && known.dropAfter === entry.dropAfter) return
      ended.set(key, entry)
      version += 1
      if (kind === 'client') for (const heard of listeners) heard(value)
      if (ended.size > sweepAt) sweep()
    },
  }
}

function keyOf(kind: RevocationKind, tenantId: string, value: string): string {
  return `${kind} ${tenantId} ${value}`
}
