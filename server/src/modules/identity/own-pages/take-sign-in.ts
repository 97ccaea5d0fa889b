import type { FastifyReply, FastifyRequest } from 'fastify'
import { formOf } from '../pages/form.ts'
import { takeSignInForm } from '../pages/sign-in-dialogue.ts'
import type { UserKind } from '../users/user.queries.ts'
import type { OwnPageSessions, SessionParts } from './session.ts'

/** One step of a sign-in at the bank's own pages. True: he is in. */
export async function takeSignIn(
  parts: SessionParts & { readonly sessions: OwnPageSessions },
  { tenantId, kind }: { readonly tenantId: string; readonly kind: UserKind },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const { sessions, clock } = parts
  const form = formOf(request)
  if (form.get('decision') === 'cancel') {
    await sessions.keepProgress(request, reply, tenantId, {})
    return false
  }
  const progress = await sessions.progress(request, tenantId)
  const { ip: origin, id: requestId } = request
  const tried = { tenantId, kind, origin, at: clock.now(), requestId }
  const answer = await takeSignInForm(parts, { form, progress, tried })
  if (answer.kind === 'again') {
    await sessions.keepProgress(request, reply, tenantId, answer.progress)
    return false
  }
  const { user, level } = answer
  await sessions.signIn(request, reply, { tenantId, userId: user.user_id, level })
  return true
}
