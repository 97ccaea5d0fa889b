import type { TxOf } from '../../../platform/db/types.ts'
import { hashSecret, newClientSecret } from './client-secret.ts'
import { updateSecretHashes } from './client.queries.ts'
import { getTenant } from '../tenant.queries.ts'

/**
 * Gives a client a new secret, shown this once. By default the newest of the old ones goes on
 * working beside it, so that the client can change over without a pause; `endOld` is for a leak.
 */
export async function rotateClientSecret(
  tx: TxOf<'identity'>,
  asked: { readonly tenantId: string; readonly clientId: string; readonly endOld?: boolean },
): Promise<{ readonly clientSecret: string }> {
  const { tenantId, clientId, endOld = false } = asked
  const { mode } = await getTenant(tx, tenantId)
  const clientSecret = newClientSecret(mode)
  const client = await updateSecretHashes(tx, tenantId, {
    clientId,
    secretHash: hashSecret(clientSecret),
    keep: endOld ? 0 : 1,
  })
  if (client === undefined) throw new Error(`no client ${clientId} in tenant ${tenantId}`)
  if (client.token_endpoint_auth_method === 'private_key_jwt') {
    throw new Error(`client ${clientId} authenticates by its key and has no secret`)
  }
  return { clientSecret }
}
