import { hash, randomBytes } from 'node:crypto'
import * as client from 'openid-client'
import type { Pool } from 'pg'
import { systemClock } from '../../src/platform/clock.ts'
import { sealingUnder } from '../../src/platform/crypto/sealing.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { type Http, createHttp } from '../../src/platform/http/app.ts'
import { newId, publicId } from '../../src/platform/ids.ts'
import {
  type AuthorizationServer,
  type AuthorizationServerSettings,
  openAuthorizationServer,
} from '../../src/modules/identity/authorization-server.ts'
import type {
  ConsentAsk,
  ConsentSlot,
  EndedGrant,
} from '../../src/modules/identity/consent-slot.ts'
import { type NewClient, createClient } from '../../src/modules/identity/clients/create-client.ts'
import { createTenant } from '../../src/modules/identity/create-tenant.ts'
import { oauthRoutes } from '../../src/modules/identity/oauth.routes.ts'
import { ownPageRoutes } from '../../src/modules/identity/own-pages/own-page.routes.ts'
import type { CustomerConsents } from '../../src/modules/identity/customer-consents.ts'
import { revokeGrants } from '../../src/modules/identity/revoke-tokens.ts'
import { interactionRoutes } from '../../src/modules/identity/pages/interaction.routes.ts'
import { sandboxCallbackRoutes } from '../../src/modules/identity/pages/sandbox-callback.routes.ts'
import { createUsers } from '../../src/modules/identity/users/create-users.ts'
import { hashPassword } from '../../src/modules/identity/users/password-hash.ts'
import { totpContext } from '../../src/modules/identity/users/totp-context.ts'
import { newTotpSecret, totpCode } from '../../src/modules/identity/users/totp.ts'
import type { UserKind } from '../../src/modules/identity/users/user.queries.ts'
import { type CookieBrowser, type Landed, cookieBrowser } from './cookie-browser.ts'
import { type TestDatabase, createTestDatabase } from './database.ts'
import { freePort } from './free-port.ts'

export const REDIRECT = 'http://127.0.0.1:9/callback' // nobody listens: the browser stops before
const PASSWORD = 'green lamp over river'

/** An authorization server on a database of its own, for flows of people and apps over HTTP. */
export interface SignInWorld {
  readonly issuer: string
  readonly server: AuthorizationServer
  readonly http: Http
  readonly database: TestDatabase
  readonly tenantId: string
  readonly consents: TestConsents
  /** What the server failed at: empty at the end of every test file. */
  readonly errors: readonly unknown[]
  givenTenant(mode: 'sandbox' | 'live'): Promise<string>
  givenPerson(asked?: Partial<AskedPerson>): Promise<Person>
  givenApp(changes?: Partial<NewClient>): Promise<App>
  close(): Promise<void>
}

export interface AskedPerson {
  readonly tenantId: string
  readonly kind: UserKind
  readonly roles: readonly string[]
  readonly totp: boolean
  readonly password: string
}

export interface Person {
  readonly userId: string
  /** `usr_…` */
  readonly accountId: string
  readonly partyId: string
  readonly username: string
  readonly password: string
  /** The code of an authenticator app, `steps` half minutes from now. */
  code(steps?: number): string
}

export interface App {
  readonly clientId: string
  readonly clientSecret: string
  readonly config: client.Configuration
}

/** Consents kept in memory: two accounts of each party, and what became of each. */
export interface TestConsents extends ConsentSlot {
  readonly granted: { asked: ConsentAsk; accountIds: readonly string[]; grantId: string }[]
  readonly rejected: ConsentAsk[]
  readonly ended: EndedGrant[]
  /** The accounts that the page offers. */
  readonly accounts: readonly string[]
}

export async function openSignInWorld(
  settings: Partial<Pick<AuthorizationServerSettings, 'adapterOf'>> & {
    readonly database?: TestDatabase
    /** Default: an address, for which there are no passkeys. */
    readonly host?: 'localhost'
  } = {},
): Promise<SignInWorld> {
  const { database: given, host = '127.0.0.1', ...more } = settings
  const database = given ?? (await createTestDatabase())
  const port = await freePort()
  const issuer = `http://${host}:${port}`
  const sealing = sealingUnder(given === undefined ? randomBytes(32) : SHARED_ROOT)
  const consents = testConsents()
  const errors: unknown[] = []
  const server = await openAuthorizationServer({
    fetch,
    issuer,
    pool: database.pools.identity,
    sealing,
    clock: systemClock,
    consents,
    onError: (error) => errors.push(error),
    ...more,
  })
  const http = createHttp({
    issuer,
    clock: systemClock,
    authenticate: server.guard.authenticate,
    fingerprintKey: randomBytes(32),
  })
  await http.register(oauthRoutes(server))
  await http.register(interactionRoutes(server.pages))
  await http.register(
    ownPageRoutes({ ...server.pages, consents: ownConsents(consents, database.pools.identity) }),
  )
  await http.register(sandboxCallbackRoutes({ issuer, hasSamples: async () => true }))
  await http.listen({ host: '127.0.0.1', port })

  async function givenTenant(mode: 'sandbox' | 'live'): Promise<string> {
    const at = new Date()
    const name = mode === 'live' ? 'Live bank' : 'Test bank'
    const make = (tx: Parameters<typeof createTenant>[0]) => createTenant(tx, { name, mode, at })
    return (await inTransaction(database.pools.identity, make)).tenant_id
  }
  const tenantId = await givenTenant('sandbox')

  async function givenPerson(asked: Partial<AskedPerson> = {}): Promise<Person> {
    const at = new Date()
    const { kind = 'customer', roles = [], totp = false, password = PASSWORD } = asked
    const tenant = asked.tenantId ?? tenantId
    const [userId, partyId] = [newId(at), newId(at)]
    const username = `ada.${userId.slice(-12)}`
    const secret = newTotpSecret()
    const sealed = totp ? sealing.seal(secret, totpContext(tenant, userId)) : undefined
    const input = {
      userId,
      partyId,
      kind,
      roles,
      username,
      displayName: 'Ada Customer',
      passwordHash: await hashPassword(password),
      sealedTotpSecret: sealed,
    }
    const actor = systemActor('test', tenant)
    const asking = { tenantId: tenant, actor, requestId: 'req_test', at, input }
    const [outcome] = await inTransaction(database.pools.identity, (tx) =>
      createUsers.run(tx, [asking], undefined),
    )
    if (outcome?.ok !== true) throw new Error('no such person')
    return {
      userId,
      partyId,
      username,
      password,
      accountId: publicId('usr', userId),
      code: (steps = 0) => totpCode(secret, new Date(Date.now() + steps * 30_000)),
    }
  }

  async function givenApp(changes: Partial<NewClient> = {}): Promise<App> {
    const asked: NewClient = {
      tenantId,
      name: 'Budget <b>App</b>',
      kind: 'third_party',
      grantTypes: ['authorization_code', 'refresh_token'],
      scope: 'openid accounts:read balance:read transactions:read transfer:write consents:read',
      authMethod: 'client_secret_basic',
      redirectUris: [REDIRECT],
      at: new Date(),
      ...changes,
    }
    const made = await inTransaction(database.pools.identity, (tx) => createClient(tx, asked))
    const clientSecret = made.clientSecret ?? ''
    const config = await client.discovery(
      new URL(issuer),
      made.clientId,
      undefined,
      clientSecret === '' ? client.None() : client.ClientSecretBasic(clientSecret),
      { execute: [client.allowInsecureRequests] },
    )
    return { clientId: made.clientId, clientSecret, config }
  }

  return {
    issuer,
    server,
    http,
    database,
    tenantId,
    consents,
    errors,
    givenTenant,
    givenPerson,
    givenApp,
    async close() {
      await server.close()
      await http.close()
      if (given === undefined) await database.close()
    },
  }
}

const SHARED_ROOT = randomBytes(32)

function testConsents(): TestConsents {
  const accounts = [publicId('acc', newId(new Date())), publicId('acc', newId(new Date()))]
  const granted: TestConsents['granted'] = []
  const rejected: ConsentAsk[] = []
  const ended: EndedGrant[] = []
  return {
    accounts,
    granted,
    rejected,
    ended,
    async describe(asked) {
      const [detail] = asked.authorizationDetails
      const pays = detail?.['type'] === 'payment_initiation'
      return {
        accounts: pays
          ? []
          : accounts.map((id, at) => ({
              id,
              label: `Current account ··${at}234, EUR`,
              selected: at === 0,
            })),
        permissions: asked.scopes.map((scope) => `use ${scope}`),
        limits: asked.scopes.includes('transfer:write') ? ['At most 500.00 EUR a day.'] : [],
        validUntil: new Date(Date.now() + 90 * 86_400_000),
        ...(pays && { payment: `${String(detail['amount'])} to somebody` }),
      }
    },
    async authorise(asked, { accountIds, grantId }) {
      if (accountIds.length === 0 && asked.authorizationDetails.length === 0) {
        return { ok: false, message: 'Choose at least one account.' }
      }
      granted.push({ asked, accountIds, grantId })
      return {
        ok: true,
        consent: {
          expiresAt: new Date(Date.now() + 90 * 86_400_000),
          scopes: asked.scopes,
          authorizationDetails: asked.authorizationDetails,
        },
      }
    },
    async reject(asked) {
      rejected.push(asked)
    },
    async liveGrant(asked) {
      const isEnded = (grantId: string) => ended.some((one) => one.grantId === grantId)
      return granted.findLast(
        (one) =>
          one.asked.user.userId === asked.user.userId &&
          one.asked.client.clientId === asked.client.clientId &&
          asked.scopes.every((scope) => one.asked.scopes.includes(scope)) &&
          !isEnded(one.grantId),
      )?.grantId
    },
    async grantsEnded(_tx, grants) {
      ended.push(...grants)
    },
    async keptOut(_tx, out) {
      for (const { userId, clientId, ...end } of out) {
        const own = granted.filter(
          ({ asked }) => asked.user.userId === userId || asked.client.clientId === clientId,
        )
        ended.push(...own.map(({ grantId }) => ({ ...end, grantId })))
      }
    },
  }
}

/** The same consents as their customer sees them, each named by its grant. */
function ownConsents({ granted, ended }: TestConsents, pool: Pool): CustomerConsents {
  const standing = (of: { readonly tenantId: string; readonly userId: string }) =>
    granted.filter(
      ({ asked, grantId }) =>
        asked.tenantId === of.tenantId &&
        asked.user.userId === of.userId &&
        !ended.some((one) => one.grantId === grantId),
    )
  return {
    async list(customer) {
      return standing(customer).map(({ asked, grantId, accountIds }) => ({
        id: grantId,
        clientId: asked.client.clientId,
        accounts: accountIds.map((id) => `Current account ··${id.slice(-4)}, EUR`),
        permissions: asked.scopes.map((scope) => `use ${scope}`),
        limits: ['At most 500.00 EUR a day.'],
        givenAt: new Date(),
        validUntil: new Date(Date.now() + 90 * 86_400_000),
        lastTransferAt: null,
      }))
    },
    async withdraw(customer, { consentId: grantId, at }) {
      if (!standing(customer).some((one) => one.grantId === grantId)) return false
      const { tenantId } = customer
      const end = { tenantId, grantId, reason: 'consent_revoked', at }
      await inTransaction(pool, (tx) => revokeGrants(tx, [end]))
      ended.push(end)
      return true
    },
  }
}

/** An authorization request of an app, as its browser is sent away with it. */
export interface Asked {
  readonly url: string
  readonly verifier: string
  readonly state: string
}

export async function request(
  app: App,
  scope: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Asked> {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(app.config, {
    redirect_uri: REDIRECT,
    scope,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  return { url: url.href, verifier, state }
}

/** Signs in and allows the first account; answers where the browser was sent in the end. */
export async function walk(
  browser: CookieBrowser,
  asked: Asked,
  person: Person,
  accounts: readonly string[],
): Promise<Landed> {
  let landed = await browser.open(asked.url)
  if (landed.text.includes('name="password"')) {
    landed = await browser.send({ username: person.username, password: person.password })
  }
  if (landed.text.includes('name="otp"')) landed = await browser.send({ otp: person.code() })
  if (landed.text.includes('value="allow"')) {
    landed = await browser.send({ decision: 'allow', account_ids: accounts })
  }
  return landed
}

/** Lets an artifact's time pass: the library reads it from what is sealed in the row. */
export async function expire(world: SignInWorld, model: string, id: string): Promise<void> {
  await alter(world, model, id, { exp: Math.floor(Date.now() / 1_000) - 60 })
}

export async function alter(
  { server, database }: SignInWorld,
  model: string,
  id: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const idHash = hash('sha256', id, 'buffer')
  const context = `identity.artifacts|payload|${model}|${idHash.toString('hex')}`
  const { sealing } = server.pages
  const { rows } = await database.pools.identity.query<{ payload: { sealed: string } }>(
    `select payload from identity.artifacts where model = $1 and id_hash = $2`,
    [model, idHash],
  )
  const sealed = Buffer.from(rows[0]?.payload.sealed ?? '', 'base64')
  const artifact = JSON.parse(sealing.open(sealed, context).toString()) as object
  const again = sealing
    .seal(Buffer.from(JSON.stringify({ ...artifact, ...changes })), context)
    .toString('base64')
  await database.pools.identity.query(
    `update identity.artifacts set payload = $3 where model = $1 and id_hash = $2`,
    [model, idHash, JSON.stringify({ sealed: again })],
  )
}

/** From an app's request to its tokens. */
export async function connect(world: SignInWorld, app: App, person: Person, scope: string) {
  const asked = await request(app, scope)
  const browser = cookieBrowser(world.issuer)
  const landed = await walk(browser, asked, person, world.consents.accounts.slice(0, 1))
  const tokens = await redeem(app, landed.url, asked)
  return { asked, landed, tokens, browser }
}

export async function redeem(app: App, url: URL, { verifier, state }: Asked) {
  return await client.authorizationCodeGrant(app.config, url, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  })
}
