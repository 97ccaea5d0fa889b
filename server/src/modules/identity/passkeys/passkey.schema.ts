import { Type } from 'typebox'
import { Id, Instant, Nullable, childrenOf, closed } from '../../../platform/fields.ts'
import { publicId } from '../../../platform/ids.ts'
import type { PasskeyRow } from './passkey.queries.ts'

export const Passkey = Type.Object(
  {
    object: Type.Literal('passkey'),
    id: Id('psk'),
    name: Type.String({ maxLength: 100, description: 'As its owner calls it.' }),
    domain: Type.String({ maxLength: 253, description: 'It opens the pages of this name only.' }),
    synced: Type.Boolean({ description: 'Copies may live on other devices of its owner.' }),
    created_at: Instant,
    last_used_at: Nullable(Instant),
  },
  closed,
)

export const Passkeys = childrenOf(Passkey)

export const PasskeyParams = Type.Object({ id: Id('usr'), passkey_id: Id('psk') }, closed)

export function toPasskey(row: PasskeyRow) {
  return {
    object: 'passkey' as const,
    id: publicId('psk', row.passkey_id),
    name: row.name,
    domain: row.rp_id,
    synced: row.is_synced,
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
  }
}
