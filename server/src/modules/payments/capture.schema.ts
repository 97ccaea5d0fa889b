import { type Static, Type } from 'typebox'
import { Id, Instant, Text, Version, closed } from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { Amount, CurrencyCode, SignedAmount, toJsonAmount } from '../../platform/money.ts'
import type { CaptureRow } from './capture.queries.ts'
import { FailureField } from './failure.schema.ts'

export const CaptureBody = Type.Object(
  {
    amount: Type.Optional(Amount),
    final: Type.Optional(
      Type.Boolean({ description: 'Default true: what is left of the authorization is given up.' }),
    ),
  },
  closed,
)

export const Capture = Type.Object(
  {
    id: Id('cap'),
    object: Type.Literal('capture'),
    payment_id: Id('pay'),
    status: Text,
    amount: SignedAmount,
    currency: CurrencyCode,
    final: Type.Boolean(),
    failure: FailureField,
    created_by: Text,
    created_at: Instant,
    updated_at: Instant,
    version: Version,
  },
  { title: 'Capture' },
)
export type Capture = Static<typeof Capture>

export function toCapture(row: CaptureRow): Capture {
  return {
    id: publicId('cap', row.id),
    object: 'capture',
    payment_id: publicId('pay', row.payment_id),
    status: row.status,
    amount: toJsonAmount(row.amount),
    currency: row.currency,
    final: row.final,
    failure: row.failure,
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    version: row.version,
  }
}
