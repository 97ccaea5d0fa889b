import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { accountRoutes } from './account.routes.ts'
import type { BankingDeps } from './banking-deps.ts'
import { transferRoutes } from './transfer.routes.ts'

export const bankingRoutes =
  (deps: BankingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(accountRoutes(deps))
    await app.register(transferRoutes(deps))
  }
