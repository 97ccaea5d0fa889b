import { actOf, recordAudit } from '../audit/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import type { Outcome } from '../../platform/errors.ts'
import { decide } from './decide.ts'
import { type LockedBooks, lockBooks } from './lock-books.ts'
import { writeBooks } from './post-entries.ts'
import type { BookedTransaction, HoldCommand, HoldState, OpenHold } from './posting.ts'

/** A hold as a command left it, and what the command booked, if it did. */
export interface ActedHold {
  readonly hold: HoldState
  readonly transaction: BookedTransaction | undefined
}

export type HoldVerb = 'create' | 'post' | 'increase' | 'void' | 'expire'

/** Every command upon holds: lock the holds and then the accounts, judge one by one, write once. */
export function holdCommand<Input>(
  name: string,
  verb: HoldVerb,
  toCommand: (request: Asked<Input>) => OpenHold | HoldCommand,
): Command<Input, ActedHold, LockedBooks> {
  return {
    name,
    mixesTenants: true,
    lock: (tx, requests) => lockBooks(tx, requests.map(toCommand)),
    run(tx, requests, books) {
      const outcomes = requests.map((request): Outcome<ActedHold> => {
        const outcome = decide(books, toCommand(request))
        if (!outcome.ok) return outcome
        const { hold, transaction } = outcome.value
        return { ok: true, value: { hold: hold as HoldState, transaction } }
      })
      writeBooks(tx, books)
      recordAudit(
        tx,
        outcomes.flatMap((outcome, index) =>
          outcome.ok ? [actOn(outcome.value, verb, requests[index] as Asked<Input>)] : [],
        ),
      )
      return Promise.resolve(outcomes)
    },
  }
}

function actOn({ hold, transaction }: ActedHold, verb: HoldVerb, request: Asked<unknown>) {
  return actOf(request, {
    action: `ledger.hold.${verb}`,
    resourceKind: 'hold',
    resourceId: hold.holdId,
    detail: {
      amount: Number(hold.amount),
      currency: hold.currency,
      status: hold.status,
      ...(transaction !== undefined && { transaction: transaction.transactionId }),
    },
  })
}

/** What every command takes from its request. */
export function bearingOf({ tenantId, requestId, at }: Asked<unknown>) {
  return { tenantId, requestId, at }
}
