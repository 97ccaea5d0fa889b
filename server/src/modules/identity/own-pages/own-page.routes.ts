import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { internalId, publicId } from '../../../platform/ids.ts'
import type { Customer, CustomerConsents } from '../customer-consents.ts'
import { formOf, isOwnForm, readForms } from '../pages/form.ts'
import { sendPage, showFailure } from '../pages/send-page.ts'
import { signInPage } from '../pages/sign-in-dialogue.ts'
import { type TenantRow, findTenant } from '../tenant.queries.ts'
import { listClientNames } from '../clients/client-names.queries.ts'
import { ownPagesHome } from './home.ts'
import { consentsPage } from './consents.page.ts'
import { missingPage } from './missing.page.ts'
import type { UserKind } from '../users/user.queries.ts'
import { passkeyPages } from './passkey-pages.ts'
import { type SessionParts, type SignedIn, ownPageSessions } from './session.ts'
import { takeSignIn } from './take-sign-in.ts'

export interface OwnPageParts extends SessionParts {
  readonly consents: CustomerConsents
}

/**
 * A customer's own pages at the bank, without any app: sign in, see which apps have access, take it
 * back, add and remove passkeys, sign out. Operators have the page of their passkeys. Plain forms
 * under the rules of the authorization pages: no script but that of passkeys, posts from our own
 * pages only, each answered by a redirect.
 */
export function ownPageRoutes(parts: OwnPageParts): FastifyPluginAsync {
  const { issuer, pool, clock, consents } = parts
  const db = databaseOver(pool)
  const sessions = ownPageSessions(parts)
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
    kind: UserKind = 'customer',
  ) {
    return atBank(async (tenant, request, reply) => {
      const { tenant_id: tenantId } = tenant
      const home = ownPagesHome(tenantId, kind)
      const session = await sessions.signedIn(request, tenantId, kind)
      if (session === undefined) return reply.redirect(home, 303)
      const { user_id: userId, party_id: partyId } = session.person
      const customer = { tenantId, userId: publicId('usr', userId), partyId }
      return await handle({ tenant, home, session, customer }, request, reply)
    })
  }

  const showSignIn = (kind: UserKind) =>
    atBank(async (tenant, request, reply) => {
      const { tenant_id: tenantId, name } = tenant
      if ((await sessions.signedIn(request, tenantId, kind)) !== undefined) {
        return reply.redirect(firstPage(tenantId, kind), 303)
      }
      const progress = await sessions.progress(request, tenantId)
      const view = { bank: name, purpose: PURPOSE[kind], progress, isPasskeyAsked: false }
      const { text, hasScript } = signInPage(issuer, view)
      return sendPage(reply, text, [], hasScript)
    })

  const signIn = (kind: UserKind) =>
    atBank(async ({ tenant_id: tenantId }, request, reply) => {
      const isIn = await takeSignIn({ ...parts, sessions }, { tenantId, kind }, request, reply)
      return reply.redirect(isIn ? firstPage(tenantId, kind) : ownPagesHome(tenantId, kind), 303)
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

  const signOut = (kind: UserKind) =>
    atBank(async ({ tenant_id: tenantId }, request, reply) => {
      await sessions.signOut(request, reply)
      return reply.redirect(ownPagesHome(tenantId, kind), 303)
    })

  const passkeys = passkeyPages(parts, sessions)

  return async function routes(app) {
    readForms(app)
    app.setErrorHandler(showFailure)
    app.get('/account/:tenant/consents', { config, schema }, showConsents)
    app.post('/account/:tenant/consents', { config, schema }, withdraw)
    for (const kind of ['customer', 'operator'] as const) {
      const home = kind === 'customer' ? '/account/:tenant' : '/account/:tenant/operator'
      app.get(home, { config, schema }, showSignIn(kind))
      app.post(home, { config, schema }, signIn(kind))
      app.get(`${home}/passkeys`, { config, schema }, signedIn(passkeys.show, kind))
      app.post(`${home}/passkeys`, { config, schema }, signedIn(passkeys.change, kind))
      app.post(`${home}/sign-out`, { config, schema }, signOut(kind))
    }
  }
}

const PURPOSE: Readonly<Record<UserKind, string>> = {
  customer: 'to see which apps have access to your accounts',
  operator: 'to see and change your passkeys',
}

function firstPage(tenantId: string, kind: UserKind): string {
  return `${ownPagesHome(tenantId, kind)}/${kind === 'customer' ? 'consents' : 'passkeys'}`
}

/** Who is here, and whose pages he is at. */
interface Visit {
  readonly tenant: TenantRow
  readonly home: string
  readonly session: SignedIn
  readonly customer: Customer
}
