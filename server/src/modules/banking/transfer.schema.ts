import { type Static, Type } from 'typebox'
import { Id, Instant, Metadata, Nullable, Text, Version, closed } from '../../platform/fields.ts'
import { knownId, publicId } from '../../platform/ids.ts'
import { Amount, CurrencyCode, PayableCurrency, toJsonAmount } from '../../platform/money.ts'
import type { NewTransfer } from './create-transfers.ts'
import type { TransferRow } from './transfer.queries.ts'
import { isoOfTransfer, transferStates } from './transfer.states.ts'

export const Reference = Type.String({
  minLength: 1,
  maxLength: 140,
  description: 'What it is for; both sides see it.',
})

export const CreateTransferBody = Type.Object(
  {
    from_account_id: Id('acc'),
    to_account_id: Type.Optional(Id('acc')),
    beneficiary_id: Type.Optional(Id('ben')),
    amount: Amount,
    currency: PayableCurrency,
    reference: Type.Optional(Reference),
    end_to_end_id: Type.Optional(
      Type.String({ minLength: 1, maxLength: 35, description: 'Yours; echoed unchanged.' }),
    ),
    metadata: Type.Optional(Metadata),
  },
  {
    ...closed,
    oneOf: [{ required: ['to_account_id'] }, { required: ['beneficiary_id'] }],
    examples: [
      {
        from_account_id: 'acc_06f7mqyk4d7xb9b1v1dgn0wsmr',
        to_account_id: 'acc_06f7mqyk4d7xbxq6p5p2v4sy0c',
        amount: 12345,
        currency: 'EUR',
        reference: 'Rent November',
      },
    ],
  },
)
export type CreateTransferBody = Static<typeof CreateTransferBody>
export const TransferParams = Type.Object({ id: Id('trf') }, closed)

export const Transfer = Type.Object(
  {
    object: Type.Literal('transfer'),
    id: Id('trf'),
    status: Type.String({ maxLength: 32, 'x-open-enum': transferStates.states }),
    iso_status: Type.String({ maxLength: 4, description: 'ISO 20022: ACCC, PDNG, CANC.' }),
    from_account_id: Id('acc'),
    to_account_id: Nullable(Id('acc')),
    beneficiary_id: Nullable(Id('ben')),
    amount: Amount,
    currency: CurrencyCode,
    reference: Nullable(Text),
    end_to_end_id: Nullable(Text),
    metadata: Metadata,
    transaction_id: Nullable(Id('txn')),
    consent_id: Nullable(Id('con')),
    initiated_by: Type.Object({ client_id: Text, user_id: Nullable(Text) }),
    created_at: Instant,
    booked_at: Nullable(Instant),
    cancelled_at: Nullable(Instant),
    version: Version,
  },
  { title: 'Transfer' },
)
export type Transfer = Static<typeof Transfer>

export function toNewTransfer(
  body: CreateTransferBody,
  { id, isBank }: Pick<NewTransfer, 'id' | 'isBank'>,
): NewTransfer {
  return {
    id,
    isBank,
    fromAccountId: knownId(body.from_account_id),
    toAccountId: body.to_account_id === undefined ? null : knownId(body.to_account_id),
    beneficiaryId: body.beneficiary_id === undefined ? null : knownId(body.beneficiary_id),
    amount: BigInt(body.amount),
    currency: body.currency,
    reference: body.reference ?? null,
    endToEndId: body.end_to_end_id ?? null,
    metadata: body.metadata ?? {},
  }
}

/** The public JSON of a transfer: the only place where a row becomes one. */
export function toTransfer(row: TransferRow): Transfer {
  return {
    object: 'transfer',
    id: publicId('trf', row.id),
    status: row.state,
    iso_status: isoOfTransfer[row.state],
    from_account_id: publicId('acc', row.from_account_id),
    to_account_id: row.to_account_id && publicId('acc', row.to_account_id),
    beneficiary_id: row.beneficiary_id && publicId('ben', row.beneficiary_id),
    amount: toJsonAmount(row.amount),
    currency: row.currency,
    reference: row.reference,
    end_to_end_id: row.end_to_end_id,
    metadata: row.metadata,
    transaction_id: row.transaction_id && publicId('txn', row.transaction_id),
    consent_id: row.consent_id && publicId('con', row.consent_id),
    initiated_by: { client_id: row.client_id, user_id: row.user_id },
    created_at: row.created_at.toISOString(),
    booked_at: row.booked_at?.toISOString() ?? null,
    cancelled_at: row.cancelled_at?.toISOString() ?? null,
    version: row.version,
  }
}
