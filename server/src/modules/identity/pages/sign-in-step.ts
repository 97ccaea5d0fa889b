import type { FastifyReply, FastifyRequest } from 'fastify'
import { publicId } from '../../../platform/ids.ts'
import { oursOf } from '../clients/library-client.ts'
import { neededLevel, reaches } from '../sign-in-level.ts'
import type { SignInTry } from '../users/sign-in.ts'
import { formOf } from './form.ts'
import { type PageParts, type Waiting, finish, keepProgress, progressOf } from './interaction.ts'
import { signInPage, takeSignInForm } from './sign-in-dialogue.ts'

export function showLogin({ issuer }: PageParts, { interaction, client, tenant }: Waiting) {
  const { login_hint: hint } = interaction.params
  const needed = neededLevel({ ...interaction.params, client, hasSecondFactor: undefined })
  return signInPage(issuer, {
    bank: tenant.name,
    app: client.clientName ?? client.clientId,
    progress: progressOf(interaction),
    hint: typeof hint === 'string' ? hint : undefined,
    isPasskeyAsked: needed === 'ch:phr',
  })
}

/** One step of a sign-in; answers where the browser goes. */
export async function takeLogin(
  parts: PageParts,
  waiting: Waiting,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const { interaction, client } = waiting
  const form = formOf(request)
  if (form.get('decision') === 'cancel') return await finish(waiting, request, reply, CANCELLED)
  const tried = tryOf(parts, waiting, request)
  const answer = await takeSignInForm(parts, { form, progress: progressOf(interaction), tried })
  if (answer.kind === 'again') {
    await keepProgress(interaction, answer.progress)
    return `/oauth/interaction/${interaction.uid}`
  }
  const { user, level } = answer
  const hasSecondFactor = level.acr !== 'ch:1'
  const needed = neededLevel({ ...interaction.params, client, hasSecondFactor })
  if (!reaches(level.acr, needed)) return await finish(waiting, request, reply, TOO_WEAK)
  const accountId = publicId('usr', user.user_id)
  return await finish(waiting, request, reply, {
    login: { accountId, ...level, amr: [...level.amr], remember: false },
  })
}

const CANCELLED = { error: 'access_denied', error_description: 'the person did not sign in' }

// The customer has no second factor, or no passkey: he or the bank must enrol one first.
const TOO_WEAK = {
  error: 'unmet_authentication_requirements',
  error_description: 'this needs a stronger sign-in than the person has made',
}

function tryOf(
  { clock }: PageParts,
  { client }: Waiting,
  request: FastifyRequest,
): Omit<SignInTry, 'username'> {
  const { tenant_id: tenantId, kind } = oursOf(client)
  return {
    tenantId,
    kind: kind === 'first_party' ? 'operator' : 'customer',
    origin: request.ip,
    at: clock.now(),
    requestId: request.id,
    clientId: client.clientId,
  }
}
