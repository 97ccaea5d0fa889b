import type { Failure } from './failure-codes.ts'

/**
 * What a gateway looks like to the payments module. A connector is pure translation and one HTTP
 * call: no database, no retry, no routing, no clock. Whoever calls it commits the attempt before
 * and the outcome after (`send` and `inquire` never run inside a transaction).
 *
 * The default outcome is `unknown`. A connector says `succeeded` or `declined` only on a definite
 * word of the gateway, and `not_sent` only with proof that the gateway did not take the request:
 * a wrong `not_sent` pays twice, a wrong `unknown` costs one inquiry.
 */
export interface Connector {
  readonly id: string
  readonly capabilities: Capabilities
  /** Never throws for what a gateway or a network does; an abort by `call.signal` is `unknown`. */
  send(call: GatewayCall, operation: Operation): Promise<GatewayOutcome>
  /** What became of the attempt with `call.key`. Never throws for what a gateway or network does. */
  inquire(call: GatewayCall, sent: SentOperation): Promise<InquiryOutcome>
  /** Closes its connections; calls still in flight end as `unknown`. */
  close(): Promise<void>
}

/** Minor units of an ISO 4217 currency. */
export interface Money {
  readonly amount: bigint
  readonly currency: string
}

export interface GatewayCall {
  /** The attempt's id: the key under which the gateway recognises a second send of the same. */
  readonly key: string
  /** True when a request with this key may have left before: a 4xx is then no proof of anything. */
  readonly resend: boolean
  /** Ends the wait for an answer. The caller's lease must outlive it. */
  readonly signal: AbortSignal
}

export type OperationKind = 'sale' | 'authorize' | 'capture' | 'void' | 'refund'

/** Money to move. `parent` is the key of the attempt it follows: a sale, authorization, capture. */
export type Operation = Money &
  (
    | { readonly operation: 'sale' | 'authorize'; readonly instrument: { readonly token: string } }
    /** `final` gives back what is left of the authorization. */
    | { readonly operation: 'capture'; readonly parent: string; readonly final: boolean }
    | { readonly operation: 'void' | 'refund'; readonly parent: string }
  )

/** An operation that was sent, or may have been. */
export interface SentOperation extends Money {
  readonly operation: OperationKind
  /** The gateway's own name for it, where an earlier answer gave one. */
  readonly reference?: string
}

export type GatewayOutcome = Succeeded | Pending | Declined | NotSent | Unknown

/** An inquiry that fails proves nothing about the operation: it is never `not_sent`. */
export type InquiryOutcome = Succeeded | Pending | Declined | Unknown | NotFound

/** Done. `echoed` is what the gateway says it moved: the caller compares it with what it asked. */
interface Succeeded {
  readonly kind: 'succeeded'
  readonly reference: string
  readonly echoed: Money
  readonly raw: unknown
}

/** Accepted; the final answer comes later. */
interface Pending {
  readonly kind: 'pending'
  readonly reference?: string
  readonly raw: unknown
}

/** Definite: no money moved by it and none will; for a refund also: what moved has come back. */
interface Declined {
  readonly kind: 'declined'
  readonly failure: Failure
  readonly reference?: string
  readonly raw: unknown
}

/** Proven: the gateway did not take the request. May be sent again under the same key. */
interface NotSent {
  readonly kind: 'not_sent'
  readonly cause: string
  readonly retryAfterMs?: number
}

/** Everything else: perhaps done, perhaps not. Inquire; never send under another key. */
interface Unknown {
  readonly kind: 'unknown'
  readonly cause: string
  readonly raw?: unknown
}

/** The gateway knows no operation with that key. */
interface NotFound {
  readonly kind: 'not_found'
}

/** What a gateway can do: routes are chosen by it, and refused with `no_route`. */
export interface Capabilities {
  readonly paymentTypes: readonly string[]
  /** Whose payments it takes: one that moves no money takes no live ones. */
  readonly tenantModes: readonly ('sandbox' | 'live')[]
  readonly operations: readonly OperationKind[]
  /** Digits after the point by currency code, or `any` for ISO 4217 as it is. */
  readonly currencies: 'any' | Readonly<Record<string, number>>
  readonly idempotency: 'key' | 'none'
  readonly inquiry: 'key' | 'reference' | 'none'
  readonly captures: 'full' | 'partial' | 'multiple'
  readonly refunds: 'full' | 'partial' | 'multiple'
  /** Days after the sale or capture in which it takes refunds. */
  readonly refundDays: number
  /** How long the gateway remembers a key: no second send is safe after that. */
  readonly keyLifetimeMs: number
}
