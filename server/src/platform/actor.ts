/**
 * Who asks. Built once by the request guard (or by a worker for itself) and passed as an argument;
 * `created_by`, audit rows and idempotency scopes come from it.
 */
export interface Actor {
  /** `client`: a program for itself. `app`: a program for a customer. `operator`: a person at the console. */
  readonly kind: 'client' | 'app' | 'operator' | 'system'
  readonly tenantId: string
  readonly tenantMode: 'sandbox' | 'live'
  /** Who is answerable: `usr_…` where a person is behind it, else `cli_…`, or `sys:<job>` of a worker. */
  readonly id: string
  /** `cli_…` of the client that holds the token. A worker has none. */
  readonly clientId?: string
  /** The person behind the token. Only of an `app` and an `operator`. */
  readonly user?: SignedInUser
  readonly scopes: ReadonlySet<string>
  /** Whose Idempotency-Keys these are: another client or user never meets these rows. */
  readonly principal: string
  /** Where the request came from: an address, or the name of the job. */
  readonly origin: string
}

/** A person, and how sure we are of it. */
export interface SignedInUser {
  /** `usr_…` */
  readonly id: string
  /** Uuid of the person or organisation that the user acts for: accounts belong to it. */
  readonly partyId: string
  /** What the person granted to the client; its end is the end of the token. */
  readonly grantId: string
  /** `ch:1` password, `ch:2` two factors, `ch:phr` passkey. */
  readonly acr: string
  /** RFC 8176 names, such as `pwd` and `otp`. */
  readonly amr: readonly string[]
  /** When the person last signed in; a refresh does not change it. */
  readonly authenticatedAt: Date
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
