import { errors } from 'oidc-provider'
import type { Pool } from 'pg'
import { DatabaseUnavailable, inTransaction } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'

/**
 * A transaction for the authorization server: tried again over a failover, and where the database
 * stays away answered 503 in OAuth's words rather than as an error of ours.
 */
export async function orUnavailable<Result>(
  pool: Pool,
  closure: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  try {
    return await inTransaction(pool, closure)
  } catch (cause) {
    throw cause instanceof DatabaseUnavailable ? unavailable(cause) : cause
  }
}

/** 503 in OAuth's words. */
export function unavailable(cause: DatabaseUnavailable): errors.CustomOIDCProviderError {
  const error = new errors.CustomOIDCProviderError(CODE, 'ask again in a few seconds', { cause })
  error.status = error.statusCode = 503
  return error
}

const CODE = 'temporarily_unavailable'
