import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { internalId, publicId } from '../../../platform/ids.ts'
import type { Customer, CustomerConsents } from '../customer-consents.ts'
import { formOf, isOwnForm, readForms } from '../pages/form.ts'
import { loginPage } from '../pages/login.page.ts'
import { sendPage, showFailure } from '../pages/send-page.ts'
import { type TenantRow, findTenant } from '../tenant.queries.ts'
import { listClientNames } from '../client-names.queries.ts'
import { accountHome } from './account-home.ts'
import { consentsPage } from './consents.page.ts'
import { missingPage } from './missing.page.ts'
import { type SessionParts, type SignedIn, accountSessions } from './session.ts'
import { takeSignIn } from './take-sign-in.ts'

export interface AccountParts extends SessionParts {
  readonly consents: CustomerConsents
}

/**
 * A customer's own pages at the bank, without any app: sign in, see which apps have access, take it
 * back, sign out. Plain forms under the rules of the authorization pages: no script, posts from our
 * own pages only, each answered by a redirect.
 */
export function accountRoutes(parts: AccountParts): FastifyPluginAsync {
  const { issuer, pool, clock, consents } = parts
  const db = databaseOver(pool)
  const sessions = accountSessions(parts)
  const config = { public: true } as const
  const schema = { hide: true }

  async function tenantOf(request: FastifyRequest): Promise<TenantRow | undefined> {
    const { tenant } = request.params as { tenant: string }
    const tenantId = internalId('ten', tenant)
    return tenantId === undefined ? undefined : await findTenant(db, tenantId)
  }

  /** A handler that knows whose pages these are; elsewhere there are none. */
  function atBank(
    handle: (
      tenant: TenantRow,
      request: FastifyRequest,
      reply: FastifyReply,
    ) => Promise<FastifyReply>,
  ) {
    return async (request: FastifyRequest, reply: FastifyReply) => {
      const tenant = await tenantOf(request)
      if (tenant === undefined) return sendPage(reply.code(404), missingPage())
      if (request.method === 'POST' && !isOwnForm(request, issuer)) {
        throw new errors.InvalidRequest('not sent from here')
      }
      return await handle(tenant, request, reply)
    }
  }

  /** The same for somebody who is signed in; else he signs in first. */
  function signedIn(
    handle: (visit: Visit, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
  ) {
    return atBank(async (tenant, request, reply) => {
      const { tenant_id: tenantId } = tenant
      const home = accountHome(tenantId)
      const session = await sessions.signedIn(request, tenantId)
      if (session === undefined) return reply.redirect(home, 303)
      const { user_id: userId, party_id: partyId } = session.person
      const customer = { tenantId, userId: publicId('usr', userId), partyId }
      return await handle({ tenant, home, session, customer }, request, reply)
    })
  }

  const showSignIn = atBank(async (tenant, request, reply) => {
    const { tenant_id: tenantId, name } = tenant
    if ((await sessions.signedIn(request, tenantId)) !== undefined) {
      return reply.redirect(`${accountHome(tenantId)}/consents`, 303)
    }
    const { username = '', passwordOk, problem } = await sessions.progress(request, tenantId)
    const asksForCode = passwordOk !== undefined
    return sendPage(reply, loginPage({ bank: name, username, problem, asksForCode }))
  })

  const signIn = atBank(async ({ tenant_id: tenantId }, request, reply) => {
    const isIn = await takeSignIn({ ...parts, sessions }, tenantId, request, reply)
    return reply.redirect(`${accountHome(tenantId)}${isIn ? '/consents' : ''}`, 303)
  })

  const showConsents = signedIn(async ({ tenant, home, session, customer }, request, reply) => {
    const standing = await consents.list(customer)
    const ids = standing.map(({ clientId }) => clientId)
    const names = await listClientNames(db, customer.tenantId, ids)
    const text = consentsPage({
      bank: tenant.name,
      home,
      person: session.person.display_name,
      consents: standing.map((one) => ({ ...one, app: names.get(one.clientId) ?? one.clientId })),
      notice: session.notice,
    })
    if (session.notice !== undefined) {
      await sessions.note(request, customer.tenantId, undefined) // said once
    }
    return sendPage(reply, text)
  })

  const withdraw = signedIn(async ({ home, customer }, request, reply) => {
    const consentId = formOf(request).get('consent_id') ?? ''
    const given = { consentId, origin: request.ip, requestId: request.id, at: clock.now() }
    const known = await consents.withdraw(customer, given)
    const notice = known ? 'Done. The app has no access any more.' : 'There is no such access.'
    await sessions.note(request, customer.tenantId, notice)
    return reply.redirect(`${home}/consents`, 303)
  })

  const signOut = atBank(async ({ tenant_id: tenantId }, request, reply) => {
    await sessions.signOut(request, reply)
    return reply.redirect(accountHome(tenantId), 303)
  })

  return async function routes(app) {
    readForms(app)
    app.setErrorHandler(showFailure)
    app.get('/account/:tenant', { config, schema }, showSignIn)
    app.post('/account/:tenant', { config, schema }, signIn)
    app.get('/account/:tenant/consents', { config, schema }, showConsents)
    app.post('/account/:tenant/consents', { config, schema }, withdraw)
    app.post('/account/:tenant/sign-out', { config, schema }, signOut)
  }
}

/** Who is here, and whose pages he is at. */
interface Visit {
  readonly tenant: TenantRow
  readonly home: string
  readonly session: SignedIn
  readonly customer: Customer
}
