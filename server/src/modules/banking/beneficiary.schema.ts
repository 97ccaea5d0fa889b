import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Text, Version, closed } from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { CurrencyCode, PayableCurrency } from '../../platform/money.ts'
import { listOf, pageParameters } from '../../platform/page.ts'
import type { BeneficiaryRow } from './beneficiary.queries.ts'

const Name = Type.String({ minLength: 1, maxLength: 140, pattern: '\\S' })

export const CreateBeneficiaryBody = Type.Object(
  {
    name: Name,
    account_id: Type.Optional(
      Type.String({ ...Id('acc'), description: 'Of this bank. Instead of `iban`.' }),
    ),
    iban: Type.Optional(
      Type.String({
        minLength: 15,
        maxLength: 42,
        description: 'Of another bank; with `currency`.',
      }),
    ),
    currency: Type.Optional(PayableCurrency),
  },
  {
    ...closed,
    oneOf: [{ required: ['account_id'] }, { required: ['iban', 'currency'] }],
    examples: [{ name: 'Landlord', iban: 'DE89370400440532013000', currency: 'EUR' }],
  },
)
export type CreateBeneficiaryBody = Static<typeof CreateBeneficiaryBody>
export const RenameBeneficiaryBody = Type.Object({ name: Name }, closed)
export const BeneficiaryParams = Type.Object({ id: Id('ben') }, closed)
export const ListBeneficiariesQuery = Type.Object(pageParameters, closed)

export const Beneficiary = Type.Object(
  {
    object: Type.Literal('beneficiary'),
    id: Id('ben'),
    name: Text,
    account_id: Nullable(Id('acc')),
    iban: Nullable(Text),
    currency: CurrencyCode,
    created_at: Instant,
    updated_at: Instant,
    version: Version,
  },
  { title: 'Beneficiary' },
)
export type Beneficiary = Static<typeof Beneficiary>
export const BeneficiaryList = listOf(Beneficiary)

/** The public JSON of a beneficiary: the only place where a row becomes one. */
export function toBeneficiary(row: BeneficiaryRow): Beneficiary {
  return {
    object: 'beneficiary',
    id: publicId('ben', row.id),
    name: row.name,
    account_id: row.account_id && publicId('acc', row.account_id),
    iban: row.iban,
    currency: row.currency,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    version: row.version,
  }
}
