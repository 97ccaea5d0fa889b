import type { FastifyReply, FastifyRequest } from 'fastify'
import { formOf } from '../pages/form.ts'
import { afterwards, nextStep, typedName } from '../pages/sign-in-step.ts'
import type { AccountSessions, SessionParts } from './session.ts'

/** One step of a customer's sign-in at the bank's own pages. True: he is in. */
export async function takeSignIn(
  parts: SessionParts & { readonly sessions: AccountSessions },
  tenantId: string,
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
  const username = typedName(form, progress)
  const { ip: origin, id: requestId } = request
  const tried = {
    tenantId,
    kind: 'customer',
    username,
    origin,
    at: clock.now(),
    requestId,
  } as const
  const step = await nextStep(parts, tried, progress, form)
  if (step.kind === 'signed_in') {
    const { user, level } = step
    await sessions.signIn(request, reply, { tenantId, userId: user.user_id, level })
    return true
  }
  await sessions.keepProgress(request, reply, tenantId, afterwards(step, username, progress))
  return false
}
