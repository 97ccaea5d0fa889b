import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { TObject } from 'typebox'
import { ApiError } from '../../../platform/errors.ts'
import type { Sealing } from '../../../platform/crypto/sealing.ts'
import type { Db } from '../../../platform/db/types.ts'
import { sendVersioned } from '../../../platform/http/conditional.ts'
import { type Submit, sendAnswer } from '../../../platform/http/submit.ts'
import { knownId } from '../../../platform/ids.ts'
import { type Paging, listOf } from '../../../platform/page.ts'
import type { Consents } from '../end-access.ts'
import { passkeyRoutes } from '../passkeys/passkey.routes.ts'
import { changeUserStatus } from './change-user-status.ts'
import { createUsers } from './create-users.ts'
import { listCredentials, listFactors } from './credential.queries.ts'
import { enrolTotp } from './enrol-totp.ts'
import { newPassword } from './new-password.ts'
import { hashPassword, isPassword } from './password-hash.ts'
import { passwordFault } from './password.rules.ts'
import { prepareUser } from './prepare-user.ts'
import { setPasswords } from './set-passwords.ts'
import { totpContext } from './totp-context.ts'
import { newTotpSecret, otpauthUri, toBase32 } from './totp.ts'
import { refuse } from './user.errors.ts'
import { type UserKind, type UserRow, findUser, listUsers } from './user.queries.ts'
import {
  Customer,
  CustomerBody,
  NewCustomer,
  NewOperator,
  NewSecrets,
  Operator,
  OperatorBody,
  PasswordBody,
  UserList,
  UserParams,
  toUser,
} from './user.schema.ts'

export interface UserDeps {
  readonly submit: Submit
  /** Reads outside any transaction. */
  readonly db: Db
  readonly paging: Paging
  readonly sealing: Sealing
  /** Ends with the people who gave them. */
  readonly consents: Consents
}

/**
 * Customers and operators of a tenant. Answers that show a secret are stored under no
 * Idempotency-Key: a name is taken once, and a factor may be set again.
 */
export const userRoutes =
  (deps: UserDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(routesOf('customer', deps))
    await app.register(routesOf('operator', deps))
    await app.register(passkeyRoutes(deps))
  }

interface NewPerson {
  readonly username: string
  readonly display_name: string
  readonly password?: string
  readonly party_id?: string
  readonly totp?: boolean
  readonly roles?: readonly string[]
}

interface Words {
  readonly path: string
  readonly name: string
  readonly body: TObject
  readonly shape: TObject
  readonly made: TObject
}

const WORDS: Readonly<Record<UserKind, Words>> = {
  customer: {
    path: '/customers',
    name: 'Customer',
    body: CustomerBody,
    shape: Customer,
    made: NewCustomer,
  },
  operator: {
    path: '/operators',
    name: 'Operator',
    body: OperatorBody,
    shape: Operator,
    made: NewOperator,
  },
}

function routesOf(kind: UserKind, deps: UserDeps): FastifyPluginAsyncTypebox {
  const { submit, db, paging, sealing } = deps
  const changeStatus = changeUserStatus(deps.consents)
  const { path, name, body, shape, made } = WORDS[kind]
  const tags = ['people']
  const writes = { scope: 'users:write', idempotency: 'none' } as const

  return async function routes(app) {
    const create = {
      config: { ...writes, errors: ['username_taken', 'password_too_weak'] },
      schema: {
        operationId: `create${name}`,
        tags,
        summary: `Make a ${kind} who can sign in`,
        body,
        response: { 201: made },
      },
    } as const
    app.post(path, create, async (request, reply) => {
      const asked = request.body as unknown as NewPerson
      const password = await chosen(asked.password, asked.username)
      const secret = asked.totp === true || kind === 'operator' ? newTotpSecret() : undefined
      const input = await prepareUser(
        {
          tenantId: request.actor.tenantId,
          kind,
          username: asked.username,
          displayName: asked.display_name,
          password,
          totpSecret: secret === undefined ? undefined : toBase32(secret),
          partyId: asked.party_id === undefined ? undefined : knownId(asked.party_id),
          roles: asked.roles ?? [],
          at: request.arrivedAt,
        },
        sealing,
      )
      const answer = await submit(request, createUsers, input, (row) => ({
        status: 201,
        location: `${path}/${toUser({ row, factors: [] }).id}`,
        body: {
          ...toUser({ row, factors: secret === undefined ? ['password'] : ['password', 'totp'] }),
          ...(asked.password === undefined && { password }),
          ...totpFields(secret, row),
        },
      }))
      return sendAnswer(reply, answer)
    })

    const list = {
      config: { scope: 'users:read' },
      schema: {
        operationId: `list${name}s`,
        tags,
        summary: `List the ${kind}s, newest first`,
        querystring: UserList,
        response: { 200: listOf(shape) },
      },
    } as const
    app.get(path, list, async (request, reply) => {
      const page = paging.pageOf(request)
      const { tenantId } = request.actor
      const rows = await listUsers(db, tenantId, kind, page)
      const ids = rows.map(({ user_id }) => user_id)
      const factors = await listFactors(db, tenantId, ids)
      return paging.answer(request, reply, page, rows, {
        key: (row) => [row.user_id],
        item: (row) => toUser({ row, factors: factors.get(row.user_id) ?? [] }),
      })
    })

    const get = {
      config: { scope: 'users:read', errors: ['user_not_found'] },
      schema: {
        operationId: `get${name}`,
        tags,
        summary: `Read a ${kind}`,
        params: UserParams,
        response: { 200: shape },
      },
    } as const
    app.get(`${path}/:id`, get, async (request, reply) => {
      const row = await known(request, request.params.id)
      const factors = await listFactors(db, row.tenant_id, [row.user_id])
      const view = { row, factors: factors.get(row.user_id) ?? [] }
      return sendVersioned(request, reply, row.version, () => toUser(view))
    })

    const setPassword = {
      config: {
        ...writes,
        errors: ['user_not_found', 'password_too_weak', 'password_used_before'],
      },
      schema: {
        operationId: `set${name}Password`,
        tags,
        summary: `Give a ${kind} a new password; what was issued before ends`,
        params: UserParams,
        body: PasswordBody,
        response: { 200: NewSecrets },
      },
    } as const
    app.post(`${path}/:id/password`, setPassword, async (request, reply) => {
      const { id } = request.params
      const row = await known(request, id)
      const password = await chosen(request.body?.password, row.username)
      await assertUnused(row, password)
      const input = { userId: row.user_id, kind, hash: await hashPassword(password) }
      const shown = request.body?.password === undefined ? { id, password } : { id }
      return sendAnswer(
        reply,
        await submit(request, setPasswords, input, () => ({ status: 200, body: shown })),
      )
    })

    const setTotp = {
      config: { ...writes, errors: ['user_not_found'] },
      schema: {
        operationId: `enrol${name}Totp`,
        tags,
        summary: `Enrol one-time codes for a ${kind}; an earlier enrolment ends`,
        params: UserParams,
        response: { 200: NewSecrets },
      },
    } as const
    app.post(`${path}/:id/totp`, setTotp, async (request, reply) => {
      const { tenantId } = request.actor
      const userId = knownId(request.params.id)
      const secret = newTotpSecret()
      const sealedSecret = sealing.seal(secret, totpContext(tenantId, userId))
      const answer = await submit(request, enrolTotp, { userId, kind, sealedSecret }, (row) => ({
        status: 200,
        body: { id: request.params.id, ...totpFields(secret, row) },
      }))
      return sendAnswer(reply, answer)
    })

    for (const [verb, status] of [
      ['disable', 'disabled'],
      ['enable', 'active'],
    ] as const) {
      const change = {
        config: { scope: 'users:write', idempotency: 'optional', errors: ['user_not_found'] },
        schema: {
          operationId: `${verb}${name}`,
          tags,
          summary: verb === 'disable' ? `Keep a ${kind} out` : `Let a ${kind} in again`,
          params: UserParams,
          response: { 200: shape },
        },
      } as const
      app.post(`${path}/:id/${verb}`, change, async (request, reply) => {
        const row = await known(request, request.params.id)
        const factors = await listFactors(db, row.tenant_id, [row.user_id])
        const input = { userId: row.user_id, kind, status }
        const answer = await submit(request, changeStatus, input, (changed) => ({
          status: 200,
          body: toUser({ row: changed, factors: factors.get(row.user_id) ?? [] }),
        }))
        return sendAnswer(reply, answer)
      })
    }
  }

  async function known({ actor }: FastifyRequest, id: string): Promise<UserRow> {
    const row = await findUser(db, actor.tenantId, knownId(id))
    if (row?.kind !== kind) throw new ApiError(refuse('user_not_found'))
    return row
  }

  async function assertUnused(row: UserRow, password: string): Promise<void> {
    if (row.kind !== 'operator') return
    const factors = await listCredentials(db, row.tenant_id, row.user_id)
    const stored = factors.find((factor) => factor.kind === 'password')
    for (const hash of [stored?.password_hash, ...(stored?.former_hashes ?? [])]) {
      if (hash && (await isPassword(password, hash))) {
        throw new ApiError(refuse('password_used_before'))
      }
    }
  }
}

async function chosen(password: string | undefined, username: string): Promise<string> {
  if (password === undefined) return newPassword()
  const detail = await passwordFault(password, username)
  if (detail !== undefined) throw new ApiError(refuse('password_too_weak', { detail }))
  return password
}

function totpFields(secret: Buffer | undefined, row: UserRow) {
  if (secret === undefined) return {}
  return { totp_secret: toBase32(secret), totp_uri: otpauthUri(secret, row.username) }
}
