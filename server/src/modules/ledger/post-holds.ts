import { bearingOf, holdCommand } from './act-on-holds.ts'
import type { PostHold } from './posting.ts'

export type HoldPosting = Omit<PostHold, 'kind' | 'tenantId' | 'requestId' | 'at'>

/** Books what was set aside, in part or whole; what is left is released unless more is to come. */
export const postHolds = holdCommand<HoldPosting>('post_ledger_holds', 'post', (request) => ({
  ...request.input,
  ...bearingOf(request),
  kind: 'post_hold',
}))
