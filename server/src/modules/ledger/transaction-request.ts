import { knownId, newId } from '../../platform/ids.ts'
import type { NewTransaction } from './post-transactions.ts'
import { correlationOf, signedAmount } from './public-forms.ts'
import type { Leg } from './posting.ts'
import type { PostTransactionBody } from './transaction.schema.ts'

type EntryInput = PostTransactionBody['entries'][number]

/** The body of a posting as a command takes it. Its ids have passed the schema. */
export function toNewTransaction(body: PostTransactionBody, at: Date): NewTransaction {
  const {
    type,
    effective_on: effectiveOn,
    if_closed: ifClosed,
    external_id: externalId,
    correlation_id: correlation,
    corrects_transaction_id: corrects,
    description,
    metadata,
  } = body
  return {
    transactionId: newId(at),
    type,
    legs: toLegs(body.entries),
    ...(effectiveOn !== undefined && { effectiveOn }),
    ...(ifClosed !== undefined && { ifClosed }),
    ...(externalId !== undefined && { externalId }),
    ...(correlation !== undefined && { correlationId: correlationOf(correlation) }),
    ...(corrects !== undefined && { corrects: knownId(corrects) }),
    ...(description !== undefined && { description }),
    ...(metadata !== undefined && { metadata }),
    ...expectations(body.entries),
  }
}

export function toLegs(entries: readonly EntryInput[]): Leg[] {
  return entries.map(({ account_id: accountId, direction, amount, currency }) => ({
    accountId: knownId(accountId),
    currency,
    amount: signedAmount(direction, amount),
  }))
}

function expectations(entries: readonly EntryInput[]): Pick<NewTransaction, 'expectedVersions'> {
  const expected = entries.flatMap(({ account_id: id, expected_version: version }) =>
    version === undefined ? [] : [[knownId(id), BigInt(version)] as const],
  )
  return expected.length === 0 ? {} : { expectedVersions: new Map(expected) }
}
