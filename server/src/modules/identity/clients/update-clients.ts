import type { Asked, Command } from '../../../platform/command.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { isAllowed } from '../../../platform/http/conditional.ts'
import { refuse as refuseRequest } from '../../../platform/http/http.errors.ts'
import { changeClients } from './change-clients.ts'
import type { Consents } from '../end-access.ts'
import type {
  ClientRow,
  ClientStatus,
  DirectoryRow,
  GrantType,
  PublicKeySet,
} from './client.queries.ts'

/** Members that are undefined stay as they are. */
export interface ClientUpdate {
  readonly clientId: string
  /** Row versions that may be overwritten; undefined: any. */
  readonly allowed: readonly number[] | undefined
  readonly name?: string | undefined
  readonly scope?: string | undefined
  readonly grant_types?: readonly GrantType[] | undefined
  readonly redirect_uris?: readonly string[] | undefined
  readonly post_logout_redirect_uris?: readonly string[] | undefined
  readonly allowed_cors_origins?: readonly string[] | undefined
  readonly authorization_details_types?: readonly string[] | undefined
  /** Null takes the keys away, where `jwks_uri` takes their place; and the other way round. */
  readonly jwks?: PublicKeySet | null | undefined
  readonly jwks_uri?: string | null | undefined
  /** A disabled client gets no token, and those it has are refused within a second. */
  readonly status?: ClientStatus | undefined
}

/**
 * Changes what a client is and may. What it may no more ends its live tokens; a client that is
 * disabled loses what customers let it do, for good.
 */
export function updateClients(consents: Consents): Command<ClientUpdate, ClientRow> {
  const change = { action: 'client.update', judge, onlyTakes: onlyDisables, consents }
  return { name: 'update_clients', run: (tx, requests) => changeClients(tx, requests, change) }
}

const FIELDS = [
  'name',
  'scope',
  'grant_types',
  'redirect_uris',
  'post_logout_redirect_uris',
  'allowed_cors_origins',
  'authorization_details_types',
  'jwks',
  'jwks_uri',
  'status',
] as const

function judge(row: DirectoryRow, { input }: Asked<ClientUpdate>): Outcome<object | undefined> {
  if (!isAllowed(input.allowed, row.version)) return refuseRequest('version_conflict')
  const changed = FIELDS.filter(
    (field) => input[field] !== undefined && !isSame(input[field], row[field]),
  )
  if (changed.length === 0) return accept(undefined)
  const before = { scope: row.scope, status: row.status }
  for (const field of changed) Object.assign(row, { [field]: input[field] })
  return accept({
    changed,
    ...(before.scope !== row.scope && { scope: { from: before.scope, to: row.scope } }),
    ...(before.status !== row.status && { status: { from: before.status, to: row.status } }),
  })
}

function onlyDisables({ clientId: _, allowed: _allowed, ...fields }: ClientUpdate): boolean {
  const named = FIELDS.filter((field) => fields[field] !== undefined)
  return named.length === 1 && fields.status === 'disabled'
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
