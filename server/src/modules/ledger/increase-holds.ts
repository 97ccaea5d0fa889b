import { bearingOf, holdCommand } from './act-on-holds.ts'

export interface HoldIncrease {
  readonly holdId: string
  readonly amount: bigint
}

/** Sets more aside under holds that are pending, where it is available. */
export const increaseHolds = holdCommand<HoldIncrease>(
  'increase_ledger_holds',
  'increase',
  (request) => ({ ...request.input, ...bearingOf(request), kind: 'increase_hold' }),
)
