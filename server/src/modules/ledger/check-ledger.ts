import type { Pool } from 'pg'
import { inSnapshot } from '../../platform/db/transaction.ts'
import { type LedgerCounts, countLedger, ledgerChecks } from './ledger-checks.queries.ts'

/** An invariant that does not hold. */
export interface Violation {
  /** Number in the README's table. */
  readonly invariant: number
  /** What should hold. */
  readonly rule: string
  readonly tenantId: string
  /** uuid of the account, transaction or hold; a currency for the trial balance. */
  readonly object: string
  readonly found: string
}

export interface LedgerVerdict {
  readonly violations: readonly Violation[]
  /** What was looked at: a check that sees nothing finds nothing. */
  readonly seen: LedgerCounts
}

const MAX_PER_RULE = 100 // enough to see the pattern; a broken book would list every account

/**
 * Re-checks the books of one tenant, or of all, in one snapshot: beside running postings it sees
 * whole transactions only. Reads everything; meant for the night, the operator and the end of a test.
 */
export async function checkLedger(
  pool: Pool,
  { tenantId = null }: { readonly tenantId?: string | null } = {},
): Promise<LedgerVerdict> {
  return await inSnapshot(pool, async (tx) => {
    const violations: Violation[] = []
    for (const { invariant, name: rule, find } of ledgerChecks) {
      const { rows } = await find(tx, tenantId, MAX_PER_RULE)
      for (const { tenant_id, object, found } of rows) {
        violations.push({ invariant, rule, tenantId: tenant_id, object, found })
      }
    }
    return { violations, seen: await countLedger(tx, tenantId) }
  })
}
