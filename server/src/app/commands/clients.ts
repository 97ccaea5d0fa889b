import { readFile } from 'node:fs/promises'
import {
  ClientFault,
  type NewClient,
  type PublicKeySet,
  createClient,
  isScope,
  listClients,
} from '../../modules/identity/index.ts'
import { systemClock } from '../../platform/clock.ts'
import { type Settings, SettingError } from '../../platform/config/settings.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { StartError } from '../../platform/start-error.ts'
import { type Print, tenantOf, withPools } from './operator.ts'

/** The flags of `client create`, as typed. */
export interface AskedClient {
  readonly name: string
  /** `ten_…` */
  readonly tenant: string
  /** Separated by spaces. */
  readonly scope: string
  readonly profile?: string
  readonly kind?: string
  /** Where the client's users come back to: with any, it acts for customers. */
  readonly redirectUri?: readonly string[]
  /** A file with public keys (RFC 7517), or the https address where they stand. */
  readonly jwks?: string
  readonly jwksUri?: string
}

/** A client, with a secret that is shown this once unless it signs with keys of its own. */
export async function makeClient(
  asked: AskedClient,
  settings: Settings,
  print: Print,
): Promise<void> {
  const client = await newClient(asked)
  const { clientId, clientSecret } = await withPools(settings, async (pools) => {
    const tenantId = await tenantOf(pools, asked.tenant)
    return await inTransaction(pools.money, (tx) =>
      createClient(tx, { ...client, tenantId }),
    ).catch((error: unknown) => {
      throw error instanceof ClientFault ? new StartError(error.message) : error
    })
  })
  const made = { client_id: clientId, client_secret: clientSecret }
  const secret = clientSecret === undefined ? '' : `\nclient_secret  ${clientSecret}`
  print(settings.json ? JSON.stringify(made) : `client_id      ${clientId}${secret}`)
}

async function newClient(asked: AskedClient): Promise<Omit<NewClient, 'tenantId'>> {
  const { name, profile = 'standard', redirectUri = [], jwks, jwksUri } = asked
  const isApp = redirectUri.length > 0
  const hasKeys = jwks !== undefined || jwksUri !== undefined
  return {
    name,
    kind: chosen('--kind', asked.kind ?? (isApp ? 'third_party' : 'service'), KINDS),
    profile: chosen('--profile', profile, PROFILES),
    grantTypes: isApp ? ['authorization_code', 'refresh_token'] : ['client_credentials'],
    scope: scopeOf(asked.scope),
    authMethod: hasKeys || profile === 'fapi2' ? 'private_key_jwt' : 'client_secret_basic',
    redirectUris: redirectUri,
    authorizationDetailsTypes: isApp && profile === 'fapi2' ? DETAILS : [],
    ...(jwks !== undefined && { jwks: await keysIn(jwks) }),
    ...(jwksUri !== undefined && { jwksUri }),
    at: systemClock.now(),
  }
}

const KINDS = ['service', 'third_party', 'first_party'] as const
const PROFILES = ['standard', 'fapi2'] as const
const DETAILS = ['payment_initiation', 'account_information'] as const

function scopeOf(text: string): string {
  const scopes = text.split(' ').filter((one) => one !== '')
  const unknown = scopes.filter((one) => !isScope(one))
  if (scopes.length === 0) throw new SettingError('--scope', 'is empty: name one at least')
  if (unknown.length > 0) {
    throw new SettingError('--scope', `names the unknown ${unknown.join(' ')}`)
  }
  return scopes.join(' ')
}

function chosen<const Choice extends string>(
  flag: string,
  given: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === given)
  if (found !== undefined) return found
  throw new SettingError(flag, `is "${given}": it is one of ${choices.join(', ')}`)
}

async function keysIn(path: string): Promise<PublicKeySet> {
  try {
    const { keys } = JSON.parse(await readFile(path, 'utf8')) as Partial<PublicKeySet>
    if (Array.isArray(keys)) return { keys }
  } catch (error) {
    throw new SettingError(
      '--jwks',
      `is ${path}, which cannot be read: ${(error as Error).message}`,
    )
  }
  throw new SettingError('--jwks', `is ${path}, which holds no "keys" (RFC 7517)`)
}

export async function printClients(
  tenant: string,
  settings: Settings,
  print: Print,
): Promise<void> {
  const rows = await withPools(settings, async (pools) =>
    listClients(databaseOver(pools.read), await tenantOf(pools, tenant)),
  )
  for (const { client_id: id, name, kind, status, scope } of rows) {
    const text = `${id}  ${status}  ${kind}  ${name}`
    print(settings.json ? JSON.stringify({ client_id: id, name, kind, status, scope }) : text)
  }
}
