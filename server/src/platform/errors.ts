/**
 * The three kinds of "no".
 *
 * A *refusal* is a value: one item of a batch is turned down and its neighbours live.
 * An `ApiError` is a refusal thrown at the edge of a route, and only there.
 * A plain `Error` is a broken invariant or a lost database: the batch rolls back.
 */

/** What a code means wherever it is used. Codes are public API: `noun_condition`, never renamed. */
export interface ErrorSpec {
  readonly status: number
  /** True when the same request with the same Idempotency-Key can succeed later by itself. */
  readonly retryable: boolean
  readonly title: string
}

/** One field of a request that is wrong. Exactly one of `pointer`, `parameter`, `header` is set. */
export interface FieldError {
  readonly pointer?: string
  readonly parameter?: string
  readonly header?: string
  readonly code: FieldErrorCode
  readonly detail: string
}

export type FieldErrorCode =
  | 'required'
  | 'unknown_field'
  | 'wrong_type'
  | 'too_small'
  | 'too_large'
  | 'too_long'
  | 'bad_format'
  | 'not_allowed'

/** Facts a refusal carries beside its code; `detail` and `errors` have a place of their own. */
export interface RefusalFacts {
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  readonly [member: string]: unknown
}

export interface Refusal extends ErrorSpec {
  readonly code: string
  readonly facts: RefusalFacts
}

export type Refused = { readonly ok: false; readonly refusal: Refusal }
export type Accepted<Value> = { readonly ok: true; readonly value: Value }
export type Outcome<Value> = Accepted<Value> | Refused

export function accept<Value>(value: Value): Accepted<Value> {
  return { ok: true, value }
}

/** The refusals of one module: call it to refuse, read `.table` to document. */
export interface ErrorTable<Code extends string> {
  (code: Code, facts?: RefusalFacts): Refused
  readonly table: Readonly<Record<Code, ErrorSpec>>
}

export function defineErrors<const Table extends Record<string, ErrorSpec>>(
  table: Table,
): ErrorTable<keyof Table & string> {
  const refuse = (code: keyof Table & string, facts: RefusalFacts = {}): Refused => {
    const { status, retryable, title } = table[code] as ErrorSpec
    return { ok: false, refusal: { code, status, retryable, title, facts } }
  }
  return Object.assign(refuse, { table })
}

/** A refusal on its way to the client. Thrown by routes and hooks, rendered by the error handler. */
export class ApiError extends Error {
  readonly refusal: Refusal
  readonly headers: Readonly<Record<string, string>>

  constructor({ refusal }: Refused, headers: Readonly<Record<string, string>> = {}) {
    super(refusal.code)
    this.name = 'ApiError'
    this.refusal = refusal
    this.headers = headers
  }
}

export function valueOf<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value
  throw new ApiError(outcome)
}
