import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  ArrivalEntry,
  JournalEntry,
  OperationAnswer,
  OperationBody,
  OperationEntry,
  Settings,
  SettlementEntry,
} from './gateway.schema.ts'
import type { Journal } from './journal.ts'
import {
  type OperationBook,
  arrivalEffect,
  currentAnswer,
  emptyBook,
  firstAnswer,
  isSame,
  judge,
  record,
  settlementOf,
  swallowsReply,
} from './operation-book.ts'

/** What the gateway says, or that it says nothing though it may have acted. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: OperationAnswer }
  | { readonly kind: 'swallowed' }
  | { readonly kind: 'not_processed' }
  | { readonly kind: 'key_in_flight' }
  | { readonly kind: 'key_reused' }
  | { readonly kind: 'no_answer' }
  | { readonly kind: 'not_found' }

export interface Operations {
  /** Does the operation once per key, and answers when its journal line is on the disk. */
  perform(body: OperationBody, flaw?: { wrongAmount: boolean }): Promise<Reply>
  /** Where the operation stands now. */
  inquire(key: string): Exclude<Reply, { kind: 'swallowed' }>
}

/**
 * A key is in flight from its arrival until its line is durable; meanwhile it is answered
 * `key_in_flight`, to a second send and to an inquiry alike. When the journal fails, its keys stay
 * in flight: nobody can say what became of them before the next start has read the file.
 */
export function openOperations(
  journal: Journal<JournalEntry>,
  settings: Settings,
  log: (line: string) => void,
): Operations {
  const book = emptyBook()
  const inFlight = new Set<string>()
  for (const entry of journal.entries) record(book, entry)
  for (const key of book.byKey.keys()) settleLater(key)
  return { perform, inquire }

  async function perform(body: OperationBody, flaw = { wrongAmount: false }): Promise<Reply> {
    const { key } = body
    if (inFlight.has(key)) return { kind: 'key_in_flight' }
    const known = book.byKey.get(key)
    if (known !== undefined && !isSame(known, body)) return { kind: 'key_reused' }
    if (known !== undefined) return { kind: 'answer', answer: firstAnswer(known) }
    inFlight.add(key)
    await pause(latency(settings.latency_ms))
    const effect = arrivalEffect(book, body)
    if (effect !== undefined) {
      await saveArrival(key, effect)
      return { kind: effect === 'unavailable' ? 'not_processed' : 'swallowed' }
    }
    await saveOperation(body, flaw.wrongAmount)
    if (swallowsReply(body)) return { kind: 'swallowed' }
    return { kind: 'answer', answer: firstAnswer(operationIn(book, key)) }
  }

  function inquire(key: string): ReturnType<Operations['inquire']> {
    if (inFlight.has(key)) return { kind: 'key_in_flight' }
    const known = book.byKey.get(key)
    if (known !== undefined) return { kind: 'answer', answer: currentAnswer(known) }
    return { kind: book.silent.has(key) ? 'no_answer' : 'not_found' }
  }

  async function saveOperation(body: OperationBody, wrongAmount: boolean): Promise<void> {
    const { instrument, ...asked } = body
    const { entry, saved } = journal.append<OperationEntry>({
      kind: 'operation',
      reference: `sbx_${randomUUID().replaceAll('-', '')}`,
      ...asked,
      ...(instrument && { token: instrument.token }),
      ...judge(book, body),
      ...(wrongAmount && { echoed_amount: body.amount + 1 }),
    })
    record(book, entry)
    await saved
    inFlight.delete(body.key)
    settleLater(body.key)
  }

  async function saveArrival(key: string, effect: ArrivalEntry['effect']): Promise<void> {
    const { entry, saved } = journal.append<ArrivalEntry>({ kind: 'arrival', key, effect })
    record(book, entry)
    await saved
    inFlight.delete(key)
  }

  /** Some test cards' refunds reach their final state later; after a restart the wait begins anew. */
  function settleLater(key: string): void {
    if (settlementOf(operationIn(book, key)) === undefined) return
    void pause(settings.settle_ms)
      .then(() => settle(key))
      .catch((error: unknown) => log(`the refund ${key} was not settled: ${String(error)}`))
  }

  async function settle(key: string): Promise<void> {
    const settlement = settlementOf(operationIn(book, key))
    if (settlement === undefined) return
    const line = { kind: 'settlement', key, ...settlement } as const
    const { entry, saved } = journal.append<SettlementEntry>(line)
    await saved
    record(book, entry) // only now: what a failed refund gives back is not spent before it is certain
  }
}

function operationIn(book: OperationBook, key: string) {
  const known = book.byKey.get(key)
  if (known === undefined) throw new Error(`No operation has the key ${key}.`)
  return known
}

function latency([shortest, longest]: Settings['latency_ms']): number {
  return shortest === longest ? shortest : randomInt(shortest, longest + 1)
}

/** Such a timer does not keep the process of a closed gateway alive. */
export async function pause(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { ref: false })
}
