import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { accountRoutes } from './account.routes.ts'
import type { BankingDeps } from './banking-deps.ts'
import { beneficiaryRoutes } from './beneficiary.routes.ts'
import { consentRoutes } from './consent.routes.ts'
import { statementRoutes } from './statement.routes.ts'
import { transferRoutes } from './transfer.routes.ts'

export const bankingRoutes =
  (deps: BankingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(accountRoutes(deps))
    await app.register(statementRoutes(deps))
    await app.register(transferRoutes(deps))
    await app.register(beneficiaryRoutes(deps))
    await app.register(consentRoutes(deps))
  }
