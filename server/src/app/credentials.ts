import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, publicId } from '../platform/ids.ts'
import { replaceFile } from '../platform/postgres/durable-files.ts'
import { StartError } from '../platform/start-error.ts'
import {
  apiScopes,
  newClientSecret,
  newPassword,
  newTotpSecret,
  toBase32,
} from '../modules/identity/index.ts'

/**
 * `credentials.json`: what a newcomer and an integrator need to call the API of the sandbox. It is
 * written before the database is seeded and read by the seed, so that a start killed in between, or
 * a database that was thrown away, ends with the same ids and secrets.
 */
export interface Credentials {
  readonly base_url: string
  readonly tenant_id: string
  readonly clients: {
    readonly backoffice: ClientCredentials
    readonly approver: ClientCredentials
    readonly app: AppCredentials
  }
  readonly customers: readonly CustomerCredentials[]
  readonly operators: readonly OperatorCredentials[]
  readonly accounts: Readonly<Record<SampleAccount, string>>
  readonly gateway: { readonly base_url: string }
}

interface ClientCredentials {
  readonly client_id: string
  readonly client_secret: string
  /** Space-separated. */
  readonly scope: string
}

interface AppCredentials {
  readonly client_id: string
  readonly client_secret: string
  readonly redirect_uris: readonly string[]
}

interface CustomerCredentials {
  readonly username: string
  readonly password: string
  readonly account_ids: readonly string[]
}

interface OperatorCredentials {
  readonly username: string
  readonly password: string
  readonly totp_secret: string
  readonly roles: readonly string[]
}

export type SampleAccount = 'operating' | 'customer_a' | 'customer_b'

/** Where the API and the gateway of this start are reached. */
export interface Addresses {
  readonly baseUrl: string
  readonly gatewayUrl: string
}

/** Of the sample data: user names that are their roles too. */
export const SAMPLE_OPERATORS = ['maker', 'checker'] as const

export const CREDENTIALS_FILE = 'credentials.json'

/** New ids and secrets; nothing of it exists anywhere else yet. */
export function draftCredentials({ baseUrl, gatewayUrl }: Addresses, at: Date): Credentials {
  const client = (scope: string) => ({
    client_id: publicId('cli', newId(at)),
    client_secret: newClientSecret('sandbox'),
    scope,
  })
  const account = () => publicId('acc', newId(at))
  const { scope: _unused, ...app } = client('')
  const accounts = { operating: account(), customer_a: account(), customer_b: account() }
  const customer = (username: string, accountId: string) => ({
    username,
    password: newPassword(),
    account_ids: [accountId],
  })
  const operator = (role: string) => ({
    username: role,
    password: newPassword(),
    totp_secret: toBase32(newTotpSecret()),
    roles: [role],
  })
  return {
    base_url: baseUrl,
    tenant_id: publicId('ten', newId(at)),
    clients: {
      // Everything but the second signature under its own acts.
      backoffice: client(apiScopes.filter((scope) => scope !== 'approvals:decide').join(' ')),
      approver: client(APPROVER_SCOPE),
      app: { ...app, redirect_uris: [`${baseUrl}/sandbox/callback`] },
    },
    customers: [
      customer('customer_a', accounts.customer_a),
      customer('customer_b', accounts.customer_b),
    ],
    operators: SAMPLE_OPERATORS.map(operator),
    accounts,
    gateway: { base_url: gatewayUrl },
  }
}

const APPROVER_SCOPE = [
  'approvals:read',
  'approvals:decide',
  'payments:read',
  'history:read',
  'ledger:read',
  'events:read',
  'reviews:read',
  'reviews:write',
  'decisions:read',
  'applications:read',
].join(' ')

/** Undefined when there is none. */
export async function readCredentials(dataDir: string): Promise<Credentials | undefined> {
  const path = join(dataDir, CREDENTIALS_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return checked(JSON.parse(text))
  } catch (error) {
    throw new StartError(
      `${path} cannot be used: ${(error as Error).message}. ` +
        `Restore it from a copy, or move it away: mv ${path} ${path}.old`,
      { cause: error },
    )
  }
}

/** Complete or not at all, flushed, and for its owner's eyes only. */
export async function writeCredentials(dataDir: string, credentials: Credentials): Promise<void> {
  const text = `${JSON.stringify(credentials, null, 2)}\n`
  await replaceFile(join(dataDir, CREDENTIALS_FILE), text)
}

// Only what the seed relies on: members that a later version adds are kept and not judged.
function checked(value: unknown): Credentials {
  const { base_url, tenant_id, clients, accounts, gateway } = value as Partial<Credentials>
  const named = {
    base_url,
    tenant_id,
    'clients.backoffice.client_id': clients?.backoffice.client_id,
    'clients.backoffice.client_secret': clients?.backoffice.client_secret,
    'clients.approver.client_id': clients?.approver.client_id,
    'clients.approver.client_secret': clients?.approver.client_secret,
    'accounts.operating': accounts?.operating,
    'gateway.base_url': gateway?.base_url,
  }
  for (const [name, text] of Object.entries(named)) {
    if (typeof text !== 'string' || text === '') throw new Error(`${name} is missing`)
  }
  return value as Credentials
}
