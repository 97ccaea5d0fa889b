import { actOf, recordAudit } from '../audit/index.ts'
import { type LedgerCommand, decide, lockBooks, writeBooks } from '../ledger/index.ts'
import { type Asked, type Command, tenantOf } from '../../platform/command.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import { type Outcome, type Refused, accept } from '../../platform/errors.ts'
import { emit } from '../../platform/events/events.ts'
import { refuse } from './banking.errors.ts'
import { transferEvent } from './banking.events.ts'
import type { ConsentRow } from './consent.queries.ts'
import { count } from './limits.ts'
import { writeCounters } from './limit-counter.queries.ts'
import { countersOf, lockConsentsAlso, lockedView } from './lock-consents.ts'
import {
  type TransferRow,
  findTransfers,
  lockTransfers,
  updateTransfers,
} from './transfer.queries.ts'
import { transferStates } from './transfer.states.ts'
import { type View, canSeeTransfer, viewFault } from './view.ts'

export interface TransferCancelling {
  readonly transferId: string
  readonly isBank: boolean
}

type Request = Asked<TransferCancelling>

/**
 * Calls back transfers that have not left the bank: the hold is released and what they used of
 * limits is given back. Locks consents, then transfers, then the books.
 */
export const cancelTransfers: Command<TransferCancelling, TransferRow> = {
  name: 'cancel_transfers',
  async run(tx, requests) {
    const tenantId = tenantOf(requests)
    const asked = requests.map(({ input }) => input.transferId)
    const found = await findTransfers(tx, tenantId, asked)
    // What somebody else made is not even locked: it takes the way of what does not exist.
    const named = found.filter((row) => requests.some((request) => mayBeOf(request, row)))
    const locked = await lockConsentsAlso(tx, requests, consentsOf(named))
    const consents = new Map([...locked.consents.values()].map((row) => [row.id, row]))
    const ids = named.map((row) => row.id)
    const rows = await lockTransfers(tx, tenantId, ids)
    const voidings = new Map(
      requests.map((request) => {
        const row = rows.get(request.input.transferId)
        const view = lockedView(locked, request, request.input.isBank)
        const fault = faultOf(row, view, request)
        return [request, fault === undefined ? voidingOf(request, row) : undefined]
      }),
    )
    const times = [...requests.map(({ at }) => at), ...named.map((row) => row.created_at)]
    const [books, counters] = await Promise.all([
      lockBooks(
        tx,
        [...voidings.values()].flatMap((voiding) => voiding ?? []),
      ),
      countersOf(tx, consents.values(), times),
    ])
    const cancelled = new Map<TransferRow, Request>()
    const outcomes = requests.map((request): Outcome<TransferRow> => {
      const row = rows.get(request.input.transferId)
      const view = lockedView(locked, request, request.input.isBank)
      const fault = faultOf(row, view, request)
      if (fault !== undefined || row === undefined) return fault ?? refuse('transfer_not_found')
      const voiding = voidings.get(request)
      const state = transferStates.next(row.state, 'cancelled')
      if (state === undefined || voiding === undefined) {
        return refuse('transfer_not_cancellable', { current_status: row.state })
      }
      const released = decide(books, voiding)
      if (!released.ok) return refuse('transfer_not_cancellable', { current_status: row.state })
      row.state = state
      row.version += 1
      row.event_sequence += 1
      row.cancelled_at = request.at
      cancelled.set(row, request)
      const consent = row.consent_id === null ? undefined : consents.get(row.consent_id)
      if (consent !== undefined) giveBack(counters, consent, row)
      return accept({ ...row })
    })
    writeBooks(tx, books)
    const changed = [...counters.values()].filter((counter) => counter.changed)
    pipelined(tx, writeCounters(tx, changed))
    pipelined(tx, updateTransfers(tx, tenantId, [...cancelled.keys()]))
    recordAudit(tx, [...cancelled].map(actOfCancelling))
    emit(
      tx,
      [...cancelled].map(([row, request]) => transferEvent(row, request)),
    )
    return outcomes
  },
}

function mayBeOf({ actor, input }: Request, row: TransferRow): boolean {
  if (input.isBank) return true
  return row.client_id === actor.clientId && row.user_id === (actor.user?.id ?? null)
}

function faultOf(row: TransferRow | undefined, view: View, { at }: Request): Refused | undefined {
  if (row === undefined || !canSeeTransfer(view, row)) {
    return viewFault(view, 'transfer:write', at) ?? refuse('transfer_not_found')
  }
  return viewFault(view, 'transfer:write', at)
}

function voidingOf(
  { tenantId, requestId, at }: Request,
  row: TransferRow | undefined,
): LedgerCommand | undefined {
  if (row === undefined || row.hold_id === null) return undefined
  return { kind: 'void_hold', tenantId, requestId, at, holdId: row.hold_id }
}

function consentsOf(rows: readonly TransferRow[]): string[] {
  return rows.flatMap(({ consent_id: id }) => (id === null ? [] : [id]))
}

function giveBack(
  counters: Parameters<typeof count>[0],
  consent: ConsentRow,
  { amount, currency, counted_on: day }: TransferRow,
): void {
  count(counters, consent, { amount, currency, day }, -1)
}

function actOfCancelling([row, request]: [TransferRow, Request]) {
  return actOf(request, {
    action: 'transfer.cancel',
    resourceKind: 'transfer',
    resourceId: row.id,
    detail: { amount: Number(row.amount), currency: row.currency },
  })
}
