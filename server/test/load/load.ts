import type { Connection } from '../../src/platform/db/pools.ts'

/** What the drivers of load are asked to do, and what they saw. */

/** Requests to the service, by the generator. */
export interface HttpLoad {
  readonly kind: 'http'
  readonly port: number
  readonly connections: number
  /** Requests a second whatever the answers do; without it, each connection sends once answered. */
  readonly rate?: number
  /** Connections take them in turn: one per client of the API. */
  readonly requests: readonly RequestTemplate[]
  readonly pick: Pick
  /** Public account ids, one a line. The first is the hot one. */
  readonly accountsFile: string
  readonly journalFile: string
}

/** One request, head and body. Its slots are overwritten in place, so its length never changes. */
export interface RequestTemplate {
  readonly text: string
  readonly keyAt: number
  readonly keyLength: number
  /** Within the key: where its counter begins, COUNTER_DIGITS wide. */
  readonly counterAt: number
  readonly accountsAt: readonly AccountSlots[]
  /** Whether an answer begins with the id of what was made. */
  readonly answersId: boolean
}

/** Where the accounts of one transfer stand. A card payment debits none. */
export interface AccountSlots {
  readonly debit: number | undefined
  readonly credit: number
}

/** The same payments, by one interactive transaction each. */
export interface NaiveLoad {
  readonly kind: 'naive'
  readonly connection: Connection
  readonly connections: number
  readonly pick: Pick
  readonly keyPrefix: string
  readonly specimen: Specimen
  /** Public account ids, as above. */
  readonly accountsFile: string
  readonly journalFile: string
}

/** What the service wrote for one book payment: texts that the baseline writes too. */
export interface Specimen {
  readonly tenantId: string
  readonly principal: string
  /** Public, as in the body. */
  readonly paymentId: string
  readonly eventSequence: number
  readonly responseBody: string
  readonly auditDetail: string
  /** In the order of their emission. */
  readonly events: readonly {
    readonly type: string
    readonly object_kind: string
    readonly sequence: number
    readonly data: string
  }[]
}

/** `hot`: every transfer credits the first account. */
export type Pick = 'spread' | 'hot'

/**
 * A load runs from `start` to `stop`; each `mark` answers what happened since the last. At the stop
 * the acknowledged keys are in the journal file, as lines `key id`, or `key -` where none was made.
 */
export type Question =
  | { readonly kind: 'start'; readonly load: HttpLoad | NaiveLoad }
  | { readonly kind: 'mark' }
  | { readonly kind: 'stop' }

/** What was answered between two marks. */
export interface Window {
  /** Unix milliseconds. */
  readonly from: number
  readonly to: number
  readonly answered: number
  readonly latency: Latency
  /** Of the driver itself. */
  readonly cpuMicros: number
}

/** Milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** The whole load, from start to stop. */
export interface Totals {
  readonly sent: number
  /** Answers by HTTP status; the baseline's are 201 or 500. */
  readonly statuses: Readonly<Record<string, number>>
  /** Requests whose connection broke before the answer: they may or may not have been done. */
  readonly lost: number
  readonly firstProblem: string | null
}

export const COUNTER_DIGITS = 9
/** A public id: a prefix of three letters, an underscore and 26 characters. */
export const ID_LENGTH = 30
