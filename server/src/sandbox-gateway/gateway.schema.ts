import { Type, type Static } from 'typebox'

/**
 * The JSON of the sandbox gateway: its requests, its answers and its journal. Amounts are minor
 * units in plain JSON integers; 10^12 at most, so every sum here stays far below 2^53.
 */

const MAX_AMOUNT = 1_000_000_000_000
const MAX_DELAY_MS = 600_000 // ten minutes: longer than any client waits, short enough for a test run

const Key = Type.String({ minLength: 1, maxLength: 255 })
const Amount = Type.Integer({ minimum: 1, maximum: MAX_AMOUNT })
const Currency = Type.String({ pattern: '^[A-Z]{3}$' })
const Token = Type.String({ minLength: 1, maxLength: 255 })
const Millis = Type.Integer({ minimum: 0, maximum: MAX_DELAY_MS })
const closed = { additionalProperties: false }
const OperationName = Type.Union([
  Type.Literal('sale'),
  Type.Literal('authorize'),
  Type.Literal('capture'),
  Type.Literal('void'),
  Type.Literal('refund'),
])

/** `instrument` for a sale or an authorization, `parent` (key or reference) for what follows one. */
export const OperationBody = Type.Object(
  {
    key: Key,
    operation: OperationName,
    amount: Amount,
    currency: Currency,
    instrument: Type.Optional(Type.Object({ token: Token }, closed)),
    parent: Type.Optional(Key),
    /** A capture that gives back what is left of the authorization. */
    final: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type OperationBody = Static<typeof OperationBody>

export const KeyQuery = Type.Object({ key: Key }, closed)

export const JournalQuery = Type.Object(
  {
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })),
  },
  closed,
)

/**
 * - `delay`: the request is held `ms` on its way, before the gateway knows of it.
 * - `drop_reply`: done, but the reply never comes.
 * - `cut_before`: the connection is cut, nothing is done.
 * - `refuse`: 503 `not_processed`, nothing is done. `http_429`: the same as 429.
 * - `http_500`: done, but the answer is a 500 that does not say so.
 * - `wrong_amount`: done, but the gateway names another amount, then and ever after.
 */
export const FaultBody = Type.Object(
  {
    match: Type.Optional(
      Type.Object(
        {
          operation: Type.Optional(OperationName),
          token: Type.Optional(Token),
          key: Type.Optional(Key),
          amount: Type.Optional(Amount),
        },
        closed,
      ),
    ),
    fault: Type.Union([
      Type.Literal('delay'),
      Type.Literal('drop_reply'),
      Type.Literal('cut_before'),
      Type.Literal('refuse'),
      Type.Literal('http_500'),
      Type.Literal('http_429'),
      Type.Literal('wrong_amount'),
    ]),
    ms: Type.Optional(Millis),
    /** How many matching requests it strikes; once when left out. */
    times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  },
  closed,
)
export type FaultBody = Static<typeof FaultBody>

export const SettingsBody = Type.Object(
  {
    /** How long the gateway thinks about an operation: [shortest, longest]. */
    latency_ms: Type.Optional(Type.Tuple([Millis, Millis])),
    /** When a refund that settles later does so. */
    settle_ms: Type.Optional(Millis),
    /** A swallowed reply cuts the connection, or leaves it open without a word. */
    swallow: Type.Optional(Type.Union([Type.Literal('cut'), Type.Literal('hang')])),
  },
  closed,
)

export interface Settings {
  latency_ms: [number, number]
  settle_ms: number
  swallow: 'cut' | 'hang'
}

/** Where an operation stands. `failed`: a refund that had succeeded has come back. */
export type OperationStatus = 'succeeded' | 'pending' | 'declined' | 'failed'

/** The answer to a POST and to an inquiry. */
export interface OperationAnswer {
  key: string
  reference: string
  operation: OperationBody['operation']
  status: OperationStatus
  amount: number
  currency: string
  /** Why it was declined, or failed. */
  code?: string
  parent?: string
}

/** One line of the journal. Lines are only ever added; `n` counts them from 1 without a gap. */
export type JournalEntry = OperationEntry | SettlementEntry | ArrivalEntry

/** An operation was judged. Money moved when `status` is `succeeded` (or will have, if `pending`). */
export interface OperationEntry {
  n: number
  kind: 'operation'
  key: string
  reference: string
  operation: OperationBody['operation']
  amount: number
  currency: string
  status: 'succeeded' | 'pending' | 'declined'
  code?: string
  token?: string
  parent?: string
  final?: boolean
  /** What the answers name instead of the true amount (fault `wrong_amount`). */
  echoed_amount?: number
}

/** A refund reached its final state. */
export interface SettlementEntry {
  n: number
  kind: 'settlement'
  key: string
  status: 'succeeded' | 'failed'
  code?: string
}

/** A request came in and, by its card or amount, moved nothing. */
export interface ArrivalEntry {
  n: number
  kind: 'arrival'
  key: string
  effect: 'unknown_lost' | 'unknown_forever' | 'unavailable'
}
