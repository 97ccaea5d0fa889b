import { afterCommit } from '../../platform/db/transaction.ts'
import type { TxOf } from '../../platform/db/types.ts'
import { hashOfId } from './artifact-id.ts'
import { deleteGrants } from './artifact.queries.ts'
import {
  type NewRevocation,
  type RevocationKind,
  shortenRevocation,
  upsertRevocations,
} from './revocation.queries.ts'

/**
 * Taking back what was issued: each of these writes in the caller's transaction, and every node
 * refuses the tokens within a second of its commit.
 *
 * A row is needed as long as a token can live that it refuses: the 15 minutes of a token, and one
 * for clocks that differ.
 */
type Tx = TxOf<'identity'>

const LONGEST_LIFE_MS = 16 * 60_000

const listeners = new Set<() => void>()

/** Calls back after each commit of this process that took something back. A hint: others just poll. */
export function onRevoked(heard: () => void): () => void {
  listeners.add(heard)
  return () => void listeners.delete(heard)
}

async function record(tx: Tx, rows: readonly NewRevocation[]): Promise<void> {
  if (rows.length === 0) return
  await upsertRevocations(tx, rows)
  tell(tx)
}

function tell(tx: Tx): void {
  afterCommit(tx, () => {
    for (const heard of listeners) heard()
  })
}

interface Ending {
  readonly tenantId: string
  /** A word for whoever looks into the table later: `consent_revoked`, `client_disabled`. */
  readonly reason: string
  readonly at: Date
}

export interface EndedGrant extends Ending {
  readonly grantId: string
}

/** Ends grants: their codes and refresh tokens are deleted, their access tokens are refused. */
export async function revokeGrants(tx: Tx, ended: readonly EndedGrant[]): Promise<void> {
  if (ended.length === 0) return
  const grants = ended.map(({ grantId }) => ({ grantId, idHash: hashOfId(grantId) }))
  await record(
    tx,
    ended.map((it) => revocation('grant', it.grantId, it)),
  )
  await deleteGrants(tx, grants)
}

/** Refuses single access tokens, by their `jti`. */
export async function revokeTokens(
  tx: Tx,
  revoked: readonly (Ending & { readonly jti: string })[],
): Promise<void> {
  await record(
    tx,
    revoked.map((it) => revocation('jti', it.jti, it)),
  )
}

/** Refuses every token issued to these users until `at`. Their grants live on: see `revokeGrants`. */
export async function revokeSubjects(
  tx: Tx,
  revoked: readonly (Ending & { readonly userId: string })[],
): Promise<void> {
  await record(
    tx,
    revoked.map((it) => revocation('subject', it.userId, it)),
  )
}

/** Refuses every token of these tenants issued until `at`. */
export async function revokeTenants(tx: Tx, revoked: readonly Ending[]): Promise<void> {
  await record(
    tx,
    revoked.map((it) => revocation('tenant', it.tenantId, it)),
  )
}

// Another node may have issued a token by what it knew of the client; it forgets within this time.
const CLIENT_SETTLES_MS = 2_000

/**
 * Refuses the tokens of clients whose rights became fewer, and those that a node which has not heard
 * of it issues in the two seconds after. `forGood`: none is let in until `readmitClient`.
 */
export async function revokeClients(
  tx: Tx,
  revoked: readonly (Ending & { readonly clientId: string; readonly forGood?: boolean })[],
): Promise<void> {
  const rows = revoked.map((it): NewRevocation => {
    const row = revocation('client', it.clientId, it)
    const notBefore = it.forGood ? row.dropAfter : new Date(it.at.getTime() + CLIENT_SETTLES_MS)
    return { ...row, notBefore }
  })
  await record(tx, rows)
}

/** Ends no token. Every node forgets what it knows of these clients, so that their new form counts. */
export async function announceClients(
  tx: Tx,
  changed: readonly (Ending & { readonly clientId: string })[],
): Promise<void> {
  const never = new Date(0)
  const rows = changed.map((it) => ({ ...revocation('client', it.clientId, it), notBefore: never }))
  await record(tx, rows)
}

/** Ends `forGood`: tokens issued from now on are let in, those from before stay refused. */
export async function readmitClient(
  tx: Tx,
  { tenantId, clientId, at }: { tenantId: string; clientId: string; at: Date },
): Promise<void> {
  await shortenRevocation(tx, { tenantId, kind: 'client', value: clientId, notBefore: at })
  tell(tx)
}

function revocation(kind: RevocationKind, value: string, { tenantId, reason, at }: Ending) {
  const dropAfter = new Date(at.getTime() + LONGEST_LIFE_MS)
  return { tenantId, kind, value, reason, notBefore: at, dropAfter }
}
