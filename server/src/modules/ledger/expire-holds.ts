import { bearingOf, holdCommand } from './act-on-holds.ts'

export interface HoldExpiry {
  readonly holdId: string
}

/** Gives back what holds have set aside once their time is over. Found by the sweep, never asked for. */
export const expireHolds = holdCommand<HoldExpiry>('expire_ledger_holds', 'expire', (request) => ({
  ...request.input,
  ...bearingOf(request),
  kind: 'expire_hold',
}))
