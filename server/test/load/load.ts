/** What the generator is asked to send, and what it saw. */
export interface Load {
  readonly port: number
  readonly connections: number
  /** Requests a second whatever the answers do; without it, each connection sends as it is answered. */
  readonly rate?: number
  readonly request: RequestTemplate
  readonly pick: Pick
  /** File of account ids, one a line, all of one length. The first is the hot one. */
  readonly accountsFile: string
  /** Where the acknowledged keys and ids are written, as `key id` lines, when the load stops. */
  readonly journalFile: string
}

export interface RequestTemplate {
  /** The whole request, head and body. Slots are overwritten; so no length ever changes. */
  readonly text: string
  /** Where the idempotency key's counter stands, COUNTER_DIGITS wide. */
  readonly counterAt: number
  readonly keyAt: number
  readonly keyLength: number
  /** Where the debited and the credited account of each item stand. */
  readonly accountsAt: readonly (readonly [debit: number, credit: number])[]
}

/** `hot`: every transfer credits the first account. */
export type Pick = 'spread' | 'hot'

/** What was answered between two marks. Times in milliseconds. */
export interface Window {
  readonly elapsedMs: number
  readonly answered: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  readonly cpuMicros: number
}

/** The whole load, from start to stop. */
export interface Totals {
  readonly sent: number
  readonly statuses: Readonly<Record<string, number>>
  /** Requests whose connection broke before the answer. */
  readonly lost: number
  readonly firstProblem: string | null
}

export type Question =
  | { readonly kind: 'start'; readonly load: Load }
  | { readonly kind: 'mark' }
  | { readonly kind: 'stop' }

export const COUNTER_DIGITS = 9
/** A public id: a prefix of three letters, an underscore and 26 characters. */
export const ID_LENGTH = 30
