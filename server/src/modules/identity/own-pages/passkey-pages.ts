import type { FastifyReply, FastifyRequest } from 'fastify'
import { internalId } from '../../../platform/ids.ts'
import { formOf } from '../pages/form.ts'
import { sendPage } from '../pages/send-page.ts'
import { MAX_PASSKEYS } from '../passkeys/enrol-passkeys.ts'
import {
  type OwnRequest,
  changeFault,
  creationOptions,
  enrolOwnPasskey,
  listOwnPasskeys,
  removeOwnPasskey,
} from '../passkeys/own-passkeys.ts'
import type { TenantRow } from '../tenant.queries.ts'
import { actorOf } from '../users/sign-in.ts'
import { passkeysPage } from './passkeys.page.ts'
import type { OwnPageSessions, SessionParts, SignedIn } from './session.ts'

interface Visit {
  readonly tenant: TenantRow
  /** Path of the pages of people of this kind. */
  readonly home: string
  readonly session: SignedIn
}

/** The page of a person's own passkeys, for customers and for operators alike. */
export function passkeyPages(parts: SessionParts, sessions: OwnPageSessions) {
  const { issuer, clock } = parts

  function faultOf({ tenant, session: { level, signedInAt } }: Visit, at: Date) {
    return changeFault(issuer, { mode: tenant.mode, level, signedInAt, at })
  }

  async function show(
    visit: Visit,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { tenant, home, session } = visit
    const { person: user, notice } = session
    const at = clock.now()
    const fault = faultOf(visit, at)
    const passkeys = await listOwnPasskeys(parts, user)
    const isFull = fault !== undefined || passkeys.length >= MAX_PASSKEYS
    const asked = { user, bank: tenant.name, at }
    const options = isFull ? undefined : await creationOptions(parts, asked, passkeys)
    if (notice !== undefined) await sessions.note(request, tenant.tenant_id, undefined) // said once
    const { problem = '' } = request.query as { problem?: string }
    const person = user.display_name
    const links = { bank: tenant.name, home, person, hasConsents: user.kind === 'customer' }
    const view = { ...links, passkeys, options, fault, notice, problem: PROBLEMS.get(problem) }
    return sendPage(reply, passkeysPage(view), [], options !== undefined)
  }

  async function change(
    visit: Visit,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { tenant, home, session } = visit
    const { person: user } = session
    const [form, at] = [formOf(request), clock.now()]
    const page = `${home}/passkeys`
    if (faultOf(visit, at) !== undefined) return reply.redirect(page, 303)
    const { tenant_id: tenantId, mode } = tenant
    const actor = {
      ...actorOf({ tenantId, kind: user.kind, origin: request.ip }, user),
      tenantMode: mode,
    }
    const own: OwnRequest = { user, actor, requestId: request.id, at }
    const removed = form.get('remove')
    const done =
      removed === null
        ? await enrolOwnPasskey(parts, own, {
            response: form.get('passkey') ?? '',
            name: form.get('name') ?? '',
          })
        : await removeShown(own, removed)
    if (done !== true) return reply.redirect(`${page}?problem=${done}`, 303)
    const notice =
      removed === null
        ? 'Done. Next time you can sign in by it.'
        : 'Done. It opens nothing any more.'
    await sessions.note(request, tenantId, notice)
    return reply.redirect(page, 303)
  }

  async function removeShown(own: OwnRequest, shown: string): Promise<true | string> {
    const passkeyId = internalId('psk', shown)
    if (passkeyId === undefined) return 'passkey_not_found'
    return await removeOwnPasskey(parts, own, passkeyId)
  }

  return { show, change }
}

const PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['passkey_not_accepted', 'The passkey was not accepted. Please try again.'],
  ['passkey_enrolled', 'This passkey is yours already.'],
  ['passkey_limit_reached', 'You have as many passkeys as there may be. Remove one first.'],
  ['passkey_not_found', 'There is no such passkey any more.'],
])
