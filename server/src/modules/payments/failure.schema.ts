import { Type } from 'typebox'
import { Nullable, Text } from '../../platform/fields.ts'

/** `failure` of a payment, refund, capture or attempt; null where nothing failed. */
export const FailureField = Nullable(
  Type.Object(
    {
      code: Text,
      category: Text,
      message: Text,
      gateway_code: Nullable(Text),
      network_code: Nullable(Text),
      advice: Text,
    },
    { description: 'Why money did not move, in one vocabulary for every gateway.' },
  ),
)
