import { findSandboxCard, sandboxEffect } from '../modules/payments/sandbox-values.ts'
import type { SandboxEffect } from '../modules/payments/sandbox-values.ts'
import type {
  JournalEntry,
  OperationAnswer,
  OperationBody,
  OperationEntry,
  OperationStatus,
} from './gateway.schema.ts'

/**
 * What the gateway knows, in memory: a pure function of its journal. `judge` decides an operation
 * without changing anything; `record` takes in a journal line, at start and while running alike.
 *
 * An operation is recorded when its line is written, before it is on the disk, so that the next one
 * on the same money is judged after it; its key stays in flight, and it is shown to nobody, until it
 * is durable. Should a crash take the line back, it takes back every later line too.
 */
export interface OperationBook {
  readonly byKey: Map<string, KnownOperation>
  readonly byReference: Map<string, KnownOperation>
  /** Requests that moved nothing, counted per key. */
  readonly arrivals: Map<string, number>
  /** Keys whose sends and inquiries are never answered. */
  readonly silent: Set<string>
}

interface KnownOperation {
  readonly entry: OperationEntry
  status: OperationStatus
  code: string | undefined
  /** Set on a succeeded sale or authorization, and on all that follows it. */
  readonly funds: Funds | undefined
}

/** One sale or authorization and what became of its money. */
interface Funds {
  readonly currency: string
  readonly token: string
  readonly authorized: number
  captured: number
  refunded: number
  /** Voided, or given back by a final capture: nothing more can be captured. */
  released: boolean
}

export type Verdict =
  | { readonly status: 'succeeded' | 'pending' }
  | { readonly status: 'declined'; readonly code: string }

const TIMES_UNAVAILABLE = 2 // what `unavailable` promises: refused twice, then done

export function emptyBook(): OperationBook {
  return { byKey: new Map(), byReference: new Map(), arrivals: new Map(), silent: new Set() }
}

export function record(book: OperationBook, entry: JournalEntry): void {
  switch (entry.kind) {
    case 'operation':
      return recordOperation(book, entry)
    case 'settlement':
      return recordSettlement(book, entry.key, entry.status, entry.code)
    case 'arrival':
      book.arrivals.set(entry.key, (book.arrivals.get(entry.key) ?? 0) + 1)
      if (entry.effect === 'unknown_forever') book.silent.add(entry.key)
  }
}

/** The effect by which this send moves nothing, if the card or the amount asks for one. */
export function arrivalEffect(book: OperationBook, body: OperationBody) {
  const { kind } = effectOf(body)
  const before = book.arrivals.get(body.key) ?? 0
  if (kind === 'unknown_forever') return kind
  if (kind === 'unknown_lost' && before === 0) return kind
  if (kind === 'unavailable' && before < TIMES_UNAVAILABLE) return kind
  return undefined
}

/** Whether the first reply is swallowed though the money moved. */
export function swallowsReply(body: OperationBody): boolean {
  return effectOf(body).kind === 'unknown_done'
}

export function judge(book: OperationBook, body: OperationBody): Verdict {
  if (body.operation === 'sale' || body.operation === 'authorize') {
    const effect = effectOf(body)
    return effect.kind === 'declines' ? declined(effect.code) : { status: 'succeeded' }
  }
  const parent = findParent(book, body)
  if (parent === undefined) return declined('parent_not_found')
  const { funds } = parent
  if (funds === undefined) return declined('parent_not_successful')
  if (funds.currency !== body.currency) return declined('currency_mismatch')
  if (body.operation === 'refund') return judgeRefund(funds, body.amount)
  return parent.entry.operation === 'authorize'
    ? judgeAuthorized(funds, body)
    : declined('parent_not_authorized')
}

/** What the first POST was told, and every later one with the key is told again. */
export function firstAnswer(known: KnownOperation): OperationAnswer {
  return answerOf(known.entry, known.entry.status, known.entry.code)
}

/** What an inquiry is told. */
export function currentAnswer(known: KnownOperation): OperationAnswer {
  return answerOf(known.entry, known.status, known.code)
}

/** Whether the operation is the one asked for, so that the key is used for one thing only. */
export function isSame({ entry }: KnownOperation, body: OperationBody): boolean {
  return (
    entry.operation === body.operation &&
    entry.amount === body.amount &&
    entry.currency === body.currency &&
    entry.token === body.instrument?.token &&
    entry.parent === body.parent &&
    entry.final === body.final
  )
}

/** How a refund settles later: `undefined` when its first answer is its last. */
export function settlementOf({ entry, status, funds }: KnownOperation) {
  if (entry.operation !== 'refund' || funds === undefined || status !== entry.status)
    return undefined
  const effect = findSandboxCard({ token: funds.token })?.effect.kind
  if (effect === 'refund_pending' && status === 'pending') return { status: 'succeeded' } as const
  if (effect === 'refund_fails' && status === 'succeeded') {
    return { status: 'failed', code: 'account_closed' } as const
  }
  return undefined
}

function answerOf(entry: OperationEntry, status: OperationStatus, code: string | undefined) {
  const { key, reference, operation, currency, parent } = entry
  const amount = entry.echoed_amount ?? entry.amount
  const answer: OperationAnswer = { key, reference, operation, status, amount, currency }
  if (code !== undefined) answer.code = code
  if (parent !== undefined) answer.parent = parent
  return answer
}

function judgeRefund(funds: Funds, amount: number): Verdict {
  if (funds.captured === 0) return declined('parent_not_captured')
  if (amount > funds.captured - funds.refunded) return declined('amount_exceeds_parent')
  const effect = findSandboxCard({ token: funds.token })?.effect.kind
  return { status: effect === 'refund_pending' ? 'pending' : 'succeeded' }
}

function judgeAuthorized(funds: Funds, { operation, amount }: OperationBody): Verdict {
  if (funds.released || funds.captured === funds.authorized) return declined('nothing_authorized')
  const most = operation === 'void' ? funds.authorized : funds.authorized - funds.captured
  return amount > most ? declined('amount_exceeds_parent') : { status: 'succeeded' }
}

function recordOperation(book: OperationBook, entry: OperationEntry): void {
  const known: KnownOperation = {
    entry,
    status: entry.status,
    code: entry.code,
    funds: entry.status === 'declined' ? undefined : fundsAfter(book, entry),
  }
  book.byKey.set(entry.key, known)
  book.byReference.set(entry.reference, known)
}

function fundsAfter(book: OperationBook, entry: OperationEntry): Funds | undefined {
  const { operation, amount, currency, token } = entry
  if (operation === 'sale' || operation === 'authorize') {
    const captured = operation === 'sale' ? amount : 0
    const authorized = amount
    return { currency, token: token ?? '', authorized, captured, refunded: 0, released: false }
  }
  const funds = findParent(book, entry)?.funds
  if (funds === undefined) throw new Error(`Journal line ${entry.n} follows no known operation.`)
  if (operation === 'capture') funds.captured += amount
  if (operation === 'refund') funds.refunded += amount
  if (operation === 'void' || entry.final === true) funds.released = true
  return funds
}

function recordSettlement(
  book: OperationBook,
  key: string,
  status: 'succeeded' | 'failed',
  code: string | undefined,
): void {
  const known = book.byKey.get(key)
  if (known === undefined) throw new Error(`The journal settles ${key}, which it does not know.`)
  if (status === 'failed' && known.funds !== undefined) known.funds.refunded -= known.entry.amount
  known.status = status
  known.code = code
}

function findParent(book: OperationBook, { parent }: { parent?: string }) {
  return parent === undefined ? undefined : (book.byKey.get(parent) ?? book.byReference.get(parent))
}

/** Only what names an instrument has an effect of its own; the rest follows its parent's. */
function effectOf({ operation, instrument, amount }: OperationBody): SandboxEffect {
  if (operation !== 'sale' && operation !== 'authorize') return { kind: 'completes' }
  return sandboxEffect({ token: instrument?.token ?? '', amount })
}

function declined(code: string): Verdict {
  return { status: 'declined', code }
}
