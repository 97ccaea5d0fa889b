import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify'
import { consentSlot, customerConsents } from '../modules/banking/index.ts'
import {
  type AuthorizationServer,
  type ConsentSlot,
  interactionRoutes,
  listTenants,
  oauthRoutes,
  openAuthorizationServer,
  ownPageRoutes,
  sandboxCallbackRoutes,
} from '../modules/identity/index.ts'
import type { Clock } from '../platform/clock.ts'
import { isLoopback } from '../platform/config/settings.ts'
import type { Sealing } from '../platform/crypto/sealing.ts'
import type { Db } from '../platform/db/types.ts'
import type { Pools } from '../platform/db/pools.ts'
import { fetchThrough, openEgress } from '../platform/http/egress.ts'
import { isSandbox } from './seed-sandbox.ts'

export interface SignInOptions {
  /** Public origin, without a trailing slash. */
  readonly issuer: string
  readonly clock: Clock
  readonly sealing: Sealing
  readonly logger: FastifyBaseLogger
  /** Networks of our own that addresses of tenants may lead to. Default: none. */
  readonly egressAllow?: readonly string[]
  /** How long access tokens live. Default: 900. */
  readonly accessTokenSeconds?: number
}

/** How people sign in and let apps act for them: identity's pages over banking's consents. */
export interface SignIn {
  readonly guard: AuthorizationServer['guard']
  readonly consents: ConsentSlot
  /** The OAuth endpoints and all pages for people. */
  readonly routes: FastifyPluginAsync
  close(): Promise<void>
}

export async function openSignIn(
  options: SignInOptions,
  { pools, db }: { readonly pools: Pools; readonly db: Db },
): Promise<SignIn> {
  const { issuer, clock, sealing, logger } = options
  const loopback = isLoopback(new URL(issuer))
  const egress = openEgress({ allow: options.egressAllow ?? [], loopback })
  const consentParts = { pool: pools.money, db, clock }
  const consents = consentSlot(consentParts)
  const server = await openAuthorizationServer({
    issuer,
    pool: pools.identity,
    sealing,
    clock,
    fetch: fetchThrough(egress),
    consents,
    accessTokenSeconds: options.accessTokenSeconds,
    onError: (error) => logger.error({ err: error }, 'authorization server'),
  })
  return {
    guard: server.guard,
    consents,
    routes: async (app) => {
      await app.register(oauthRoutes(server))
      await app.register(interactionRoutes(server.pages))
      await app.register(
        ownPageRoutes({ ...server.pages, consents: customerConsents(consentParts) }),
      )
      if (!loopback) return
      const hasSamples = async () => (await listTenants(db)).some(isSandbox)
      await app.register(sandboxCallbackRoutes({ issuer, hasSamples }))
    },
    async close() {
      await server.close()
      await egress.close()
    },
  }
}
