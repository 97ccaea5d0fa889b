/**
 * Who asks. Built once by the request guard (or by a worker for itself) and passed as an argument;
 * `created_by`, audit rows and idempotency scopes come from it.
 */
export interface Actor {
  readonly kind: 'client' | 'system'
  readonly tenantId: string
  readonly tenantMode: 'sandbox' | 'live'
  /** `cli_…` of a client, `sys:<job>` of a worker. */
  readonly id: string
  readonly scopes: ReadonlySet<string>
  /** Whose Idempotency-Keys these are: another client never meets this one's rows. */
  readonly principal: string
  /** Where the request came from: an address, or the name of the job. */
  readonly origin: string
}

/** The actor of background work done for a tenant. It holds no scopes and decides no approvals. */
export function systemActor(job: string, tenantId: string): Actor {
  const id = `sys:${job}`
  return {
    kind: 'system',
    tenantId,
    tenantMode: 'live',
    id,
    scopes: NONE,
    principal: id,
    origin: job,
  }
}

const NONE: ReadonlySet<string> = new Set()
