import { knownId } from '../../platform/ids.ts'
import type { CreateHoldBody, PostHoldBody } from './hold.schema.ts'
import type { NewHold } from './open-holds.ts'
import type { HoldPosting } from './post-holds.ts'
import { correlationOf } from './public-forms.ts'
import { toLegs } from './transaction-request.ts'

/** Bodies of hold requests as commands take them. Their ids have passed the schema. */

export function toNewHold(body: CreateHoldBody, holdId: string): NewHold {
  const { expires_at: expiresAt, correlation_id: correlation, description, metadata } = body
  return {
    holdId,
    debitAccountId: knownId(body.debit_account_id),
    creditAccountId: knownId(body.credit_account_id),
    currency: body.currency,
    amount: BigInt(body.amount),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
    ...(correlation !== undefined && { correlationId: correlationOf(correlation) }),
    ...(description !== undefined && { description }),
    ...(metadata !== undefined && { metadata }),
  }
}

export function toHoldPosting(
  body: PostHoldBody,
  { holdId, transactionId }: Pick<HoldPosting, 'holdId' | 'transactionId'>,
): HoldPosting {
  const { amount, final, entries, effective_on: effectiveOn, description, metadata } = body
  return {
    holdId,
    transactionId,
    type: body.type ?? 'hold_posting',
    ...(amount !== undefined && { amount: BigInt(amount) }),
    ...(final !== undefined && { final }),
    ...(entries !== undefined && { legs: toLegs(entries) }),
    ...(effectiveOn !== undefined && { effectiveOn }),
    ...(description !== undefined && { description }),
    ...(metadata !== undefined && { metadata }),
  }
}
