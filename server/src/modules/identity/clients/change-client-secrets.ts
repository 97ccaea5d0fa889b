import type { Asked, Command } from '../../../platform/command.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { changeClients } from './change-clients.ts'
import { hashSecret, secretId } from './client-secret.ts'
import type { ClientRow, DirectoryRow } from './client.queries.ts'
import { refuse } from './client.errors.ts'

const MAX_SECRETS = 2 // the one that programs still use, and the one that they change over to

export interface AddedSecret {
  readonly clientId: string
  /** Made before, so that a second run of the transaction writes the same one. */
  readonly secret: string
}

/** Gives a client a second secret. The first goes on working until it is retired. */
export const addClientSecrets: Command<AddedSecret, ClientRow> = {
  name: 'add_client_secrets',
  run: (tx, requests) =>
    changeClients(tx, requests, { action: 'client.secret.create', judge: judgeAdded }),
}

export interface RetiredSecret {
  readonly clientId: string
  /** `sec_…` */
  readonly secretId: string
}

/** Ends one of two secrets. Tokens taken by it live out their minutes: for a leak, narrow or disable. */
export const retireClientSecrets: Command<RetiredSecret, ClientRow> = {
  name: 'retire_client_secrets',
  run: (tx, requests) =>
    changeClients(tx, requests, { action: 'client.secret.delete', judge: judgeRetired }),
}

function judgeAdded(row: DirectoryRow, { input }: Asked<AddedSecret>): Outcome<object | undefined> {
  if (row.token_endpoint_auth_method === 'private_key_jwt') {
    const detail = 'The client authenticates by its keys and has no secrets.'
    return refuse('client_invalid', { detail })
  }
  const added = hashSecret(input.secret)
  if (row.secret_hashes.includes(added)) return accept(undefined) // a second run
  if (row.secret_hashes.length >= MAX_SECRETS) return refuse('client_secrets_full')
  row.secret_hashes = [added, ...row.secret_hashes]
  return accept({ secret_id: secretId(added) })
}

function judgeRetired(
  row: DirectoryRow,
  { input }: Asked<RetiredSecret>,
): Outcome<object | undefined> {
  const left = row.secret_hashes.filter((one) => secretId(one) !== input.secretId)
  if (left.length === row.secret_hashes.length) return refuse('client_secret_not_found')
  if (left.length === 0) return refuse('client_secret_needed')
  row.secret_hashes = left
  return accept({ secret_id: input.secretId })
}
