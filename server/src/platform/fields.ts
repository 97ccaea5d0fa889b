import { type TSchema, Type } from 'typebox'
import { idPattern } from './ids.ts'

/** Fields that the JSON of every module is made of. */

/** No member beyond those named. */
export const closed = { additionalProperties: false } as const

/** A public id of one kind: `Id('pay')` is `pay_` and 26 characters. */
export function Id(prefix: string) {
  return Type.String({ pattern: idPattern(prefix), maxLength: prefix.length + 27, 'x-id': prefix })
}

export function Nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()])
}

/** An instant of RFC 3339 in an answer: UTC with milliseconds. */
export const Instant = Type.String({ format: 'date-time', maxLength: 30 })

/** Text in an answer. */
export const Text = Type.String({ maxLength: 1_000 })

/** The version of an object's row, as in its ETag. */
export const Version = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })

/** How many keys an object's metadata holds, also after a patch. */
export const MAX_METADATA = 50

const MetadataKey = Type.String({ pattern: '^.{1,40}$' })
const MetadataValue = Type.String({ maxLength: 500 })

export const Metadata = Type.Record(MetadataKey, MetadataValue, {
  maxProperties: MAX_METADATA,
  description: `Your own facts: up to ${MAX_METADATA} strings. We never decide by them.`,
})

export const MetadataPatch = Type.Record(MetadataKey, Nullable(MetadataValue), {
  maxProperties: MAX_METADATA,
  description: 'Merged into what is there; null removes a key.',
})

export const ExternalId = Type.String({
  minLength: 1,
  maxLength: 100,
  description: 'Your own id; unique among your objects of this kind.',
})

export const Description = Type.String({ minLength: 1, maxLength: 500 })

/** The children of one object, all at once: they are few by nature. */
export function childrenOf<Item extends TSchema>(item: Item) {
  return Type.Object({ object: Type.Literal('list'), data: Type.Array(item, { maxItems: 1_000 }) })
}
