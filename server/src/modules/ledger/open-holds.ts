import { bearingOf, holdCommand } from './act-on-holds.ts'
import type { OpenHold } from './posting.ts'

export type NewHold = Omit<OpenHold, 'kind' | 'tenantId' | 'requestId' | 'at'>

/** Sets amounts aside, where they are available. */
export const openHolds = holdCommand<NewHold>('open_ledger_holds', 'create', (request) => ({
  ...request.input,
  ...bearingOf(request),
  kind: 'hold',
}))
