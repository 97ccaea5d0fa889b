import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { accountRoutes } from './account.routes.ts'
import { batchRoutes } from './batch.routes.ts'
import { entryRoutes } from './entry.routes.ts'
import { holdRoutes } from './hold.routes.ts'
import type { LedgerDeps } from './ledger-deps.ts'
import { transactionRoutes } from './transaction.routes.ts'

export const ledgerRoutes =
  (deps: LedgerDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(accountRoutes(deps))
    await app.register(entryRoutes(deps))
    await app.register(transactionRoutes(deps))
    await app.register(batchRoutes(deps))
    await app.register(holdRoutes(deps))
  }
