import { bearingOf, holdCommand } from './act-on-holds.ts'

export interface HoldVoiding {
  readonly holdId: string
}

/** Gives back what holds have set aside. A voided hold is never posted. */
export const voidHolds = holdCommand<HoldVoiding>('void_ledger_holds', 'void', (request) => ({
  ...request.input,
  ...bearingOf(request),
  kind: 'void_hold',
}))
