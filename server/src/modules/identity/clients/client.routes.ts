import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiError, valueOf } from '../../../platform/errors.ts'
import type { Db } from '../../../platform/db/types.ts'
import { allowedVersions, sendVersioned } from '../../../platform/http/conditional.ts'
import { type Submit, sendAnswer } from '../../../platform/http/submit.ts'
import { newId, publicId } from '../../../platform/ids.ts'
import type { Paging } from '../../../platform/page.ts'
import { addClientSecrets, retireClientSecrets } from './change-client-secrets.ts'
import { toRegistration } from './client-request.ts'
import { hashSecret, newClientSecret, secretId } from './client-secret.ts'
import type { Consents } from '../end-access.ts'
import { findClient, pageClients } from './client.queries.ts'
import {
  ApiClient,
  ClientList,
  ClientParams,
  CreateClientBody,
  CreatedClient,
  CreatedSecret,
  ListClientsQuery,
  SecretParams,
  UpdateClientBody,
  toClient,
} from './client.schema.ts'
import { refuse } from './client.errors.ts'
import { registerClients } from './register-clients.ts'
import { TO_ADMINISTER, requireSignIn } from '../guard/step-up.ts'
import { updateClients } from './update-clients.ts'

export interface ClientDeps {
  readonly submit: Submit
  /** Reads outside any transaction. */
  readonly db: Db
  readonly paging: Paging
  /** End with a client that is disabled. */
  readonly consents: Consents
}

/**
 * The clients of a tenant. A request that makes a secret takes no Idempotency-Key: the answer of
 * one that does is kept, and a secret is not.
 */
export const clientRoutes =
  ({ submit, db, paging, consents }: ClientDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const change = updateClients(consents)
    const create = {
      config: {
        scope: 'clients:write',
        idempotency: 'none',
        errors: ['client_invalid', 'client_exceeds_caller'],
      },
      schema: {
        operationId: 'createClient',
        tags: ['clients'],
        summary: 'Register a client',
        description:
          'The secret is in this answer and nowhere else. Repeated, the request makes another client.',
        body: CreateClientBody,
        response: { 201: CreatedClient },
      },
    } as const
    app.post('/clients', create, async (request, reply) => {
      requireSignIn(request.actor, TO_ADMINISTER, request.arrivedAt)
      const clientId = publicId('cli', newId(request.arrivedAt))
      const { tenantMode: mode } = request.actor
      const input = valueOf(toRegistration(request.body, { clientId, mode }))
      const answer = await submit(request, registerClients, input, (row) => ({
        status: 201,
        body: {
          ...toClient(row),
          ...(input.secret !== undefined && { client_secret: input.secret }),
        },
        location: `/clients/${clientId}`,
      }))
      return sendAnswer(reply.header('cache-control', 'no-store'), answer)
    })

    const list = {
      config: { scope: 'clients:read' },
      schema: {
        operationId: 'listClients',
        tags: ['clients'],
        summary: 'List clients, newest first',
        querystring: ListClientsQuery,
        response: { 200: ClientList },
      },
    } as const
    app.get('/clients', list, async (request, reply) => {
      const page = paging.pageOf(request)
      const rows = await pageClients(db, request.actor.tenantId, page)
      const shape = { key: (row: { client_id: string }) => [row.client_id], item: toClient }
      return paging.answer(request, reply, page, rows, shape)
    })

    const get = {
      config: { scope: 'clients:read', errors: ['client_not_found'] },
      schema: {
        operationId: 'getClient',
        tags: ['clients'],
        summary: 'Read a client',
        params: ClientParams,
        response: { 200: ApiClient },
      },
    } as const
    app.get('/clients/:id', get, async (request, reply) => {
      const row = await findClient(db, request.actor.tenantId, request.params.id)
      if (row === undefined) throw new ApiError(refuse('client_not_found'))
      return sendVersioned(request, reply, row.version, () => toClient(row))
    })

    const update = {
      config: {
        scope: 'clients:write',
        errors: ['client_not_found', 'client_invalid', 'client_exceeds_caller', 'version_conflict'],
      },
      schema: {
        operationId: 'updateClient',
        tags: ['clients'],
        summary: 'Change or disable a client',
        description:
          'Tokens that hold more than the client may now, and all of a disabled one, are refused within a second.',
        params: ClientParams,
        body: UpdateClientBody,
        response: { 200: ApiClient },
      },
    } as const
    app.patch('/clients/:id', update, async (request, reply) => {
      requireSignIn(request.actor, TO_ADMINISTER, request.arrivedAt)
      const named = { clientId: request.params.id, allowed: allowedVersions(request) }
      const input = { ...request.body, ...named }
      const answer = await submit(request, change, input, (row) => ({
        status: 200,
        body: toClient(row),
      }))
      return sendAnswer(reply, answer)
    })

    const addSecret = {
      config: {
        scope: 'clients:write',
        idempotency: 'none',
        errors: [
          'client_not_found',
          'client_invalid',
          'client_exceeds_caller',
          'client_secrets_full',
        ],
      },
      schema: {
        operationId: 'createClientSecret',
        tags: ['clients'],
        summary: 'Give a client a second secret',
        description:
          'Both work until one is deleted, so that programs change over without a pause.',
        params: ClientParams,
        response: { 201: CreatedSecret },
      },
    } as const
    app.post('/clients/:id/secrets', addSecret, async (request, reply) => {
      requireSignIn(request.actor, TO_ADMINISTER, request.arrivedAt)
      const secret = newClientSecret(request.actor.tenantMode)
      const input = { clientId: request.params.id, secret }
      const id = secretId(hashSecret(secret))
      const answer = await submit(request, addClientSecrets, input, () => ({
        status: 201,
        body: { id, object: 'client_secret', client_secret: secret },
      }))
      return sendAnswer(reply.header('cache-control', 'no-store'), answer)
    })

    const retireSecret = {
      config: {
        scope: 'clients:write',
        errors: [
          'client_not_found',
          'client_exceeds_caller',
          'client_secret_not_found',
          'client_secret_needed',
        ],
      },
      schema: {
        operationId: 'deleteClientSecret',
        tags: ['clients'],
        summary: 'End one of two secrets of a client',
        params: SecretParams,
        response: { 200: ApiClient },
      },
    } as const
    app.delete('/clients/:id/secrets/:secret_id', retireSecret, async (request, reply) => {
      requireSignIn(request.actor, TO_ADMINISTER, request.arrivedAt)
      const input = { clientId: request.params.id, secretId: request.params.secret_id }
      const answer = await submit(request, retireClientSecrets, input, (row) => ({
        status: 200,
        body: toClient(row),
      }))
      return sendAnswer(reply, answer)
    })
  }
