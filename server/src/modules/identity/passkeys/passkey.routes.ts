import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiError } from '../../../platform/errors.ts'
import type { Db } from '../../../platform/db/types.ts'
import { type Submit, sendAnswer } from '../../../platform/http/submit.ts'
import { knownId } from '../../../platform/ids.ts'
import { TO_ADMINISTER, requireSignIn } from '../guard/step-up.ts'
import { refuse } from '../users/user.errors.ts'
import { type UserKind, findUser } from '../users/user.queries.ts'
import { UserParams } from '../users/user.schema.ts'
import { listPasskeys } from './passkey.queries.ts'
import { PasskeyParams, Passkeys, toPasskey } from './passkey.schema.ts'
import { removePasskeys } from './remove-passkeys.ts'

export interface PasskeyDeps {
  readonly submit: Submit
  /** Reads outside any transaction. */
  readonly db: Db
}

/** The passkeys of customers and operators, for the bank. They are made in a browser, by their owner. */
export const passkeyRoutes =
  (deps: PasskeyDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(routesOf('customer', deps))
    await app.register(routesOf('operator', deps))
  }

function routesOf(kind: UserKind, { submit, db }: PasskeyDeps): FastifyPluginAsyncTypebox {
  const path = `/${kind}s/:id/passkeys`
  const name = kind === 'customer' ? 'Customer' : 'Operator'
  const tags = ['people']

  return async function routes(app) {
    const list = {
      config: { scope: 'users:read', errors: ['user_not_found'] },
      schema: {
        operationId: `list${name}Passkeys`,
        tags,
        summary: `List the passkeys of a ${kind}, oldest first`,
        params: UserParams,
        response: { 200: Passkeys },
      },
    } as const
    app.get(path, list, async (request) => {
      const { tenantId } = request.actor
      const user = await findUser(db, tenantId, knownId(request.params.id))
      if (user?.kind !== kind) throw new ApiError(refuse('user_not_found'))
      const rows = await listPasskeys(db, tenantId, [user.user_id])
      return { object: 'list' as const, data: rows.map(toPasskey) }
    })

    const remove = {
      config: {
        scope: 'users:write',
        errors: ['user_not_found', 'passkey_not_found'],
      },
      schema: {
        operationId: `delete${name}Passkey`,
        tags,
        summary: `Remove a passkey of a ${kind}, such as that of a lost phone`,
        description: 'Nobody signs in by it any more. What was issued before lives on.',
        params: PasskeyParams,
        response: { 204: { description: 'It opens nothing any more.' } },
      },
    } as const
    app.delete(`${path}/:passkey_id`, remove, async (request, reply) => {
      requireSignIn(request.actor, TO_ADMINISTER, request.arrivedAt)
      const { id, passkey_id: passkeyId } = request.params
      const input = { kind, userId: knownId(id), passkeyId: knownId(passkeyId) }
      const answer = await submit(request, removePasskeys, input, () => ({ status: 204, body: {} }))
      return answer.status === 204 ? reply.code(204).send() : sendAnswer(reply, answer)
    })
  }
}
