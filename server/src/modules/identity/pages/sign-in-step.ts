import type { FastifyReply, FastifyRequest } from 'fastify'
import { publicId } from '../../../platform/ids.ts'
import { oursOf } from '../library-client.ts'
import { neededLevel, reaches } from '../sign-in-level.ts'
import {
  type SignInParts,
  type SignInStep,
  type SignInTry,
  checkCode,
  checkPassword,
} from '../users/sign-in.ts'
import { normalUsername } from '../users/username.ts'
import { formOf } from './form.ts'
import {
  type PageParts,
  type Progress,
  type Waiting,
  finish,
  keepProgress,
  progressOf,
} from './interaction.ts'
import { loginPage } from './login.page.ts'

export function showLogin({ interaction, client, tenant }: Waiting): string {
  const { username, passwordOk, problem } = progressOf(interaction)
  const { login_hint: hint } = interaction.params
  return loginPage({
    bank: tenant.name,
    app: client.clientName ?? client.clientId,
    username: username ?? (typeof hint === 'string' ? hint : ''),
    problem,
    asksForCode: passwordOk !== undefined,
  })
}

/** One step of a sign-in; answers where the browser goes. */
export async function takeLogin(
  parts: PageParts,
  waiting: Waiting,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const form = formOf(request)
  if (form.get('decision') === 'cancel') return await finish(waiting, request, reply, CANCELLED)
  const progress = progressOf(waiting.interaction)
  const username = typedName(form, progress)
  const tried = tryOf(parts, waiting, request, username)
  const step = await nextStep(parts, tried, progress, form)
  return await answerTo(step, waiting, request, reply, { username, progress })
}

const CANCELLED = { error: 'access_denied', error_description: 'the person did not sign in' }

/** The name of a form, or the one that a code is asked for. */
export function typedName(form: URLSearchParams, { passwordOk, username }: Progress): string {
  const typed = passwordOk === undefined ? form.get('username') : username
  return normalUsername((typed ?? '').slice(0, 200))
}

/** What a form with a password, or with the code after it, leads to. */
export async function nextStep(
  parts: SignInParts,
  tried: SignInTry,
  { passwordOk }: Progress,
  form: URLSearchParams,
): Promise<SignInStep> {
  if (passwordOk === undefined) {
    return await checkPassword(parts, tried, (form.get('password') ?? '').slice(0, 1_000))
  }
  return await checkCode(parts, tried, { passwordOk, code: (form.get('otp') ?? '').slice(0, 20) })
}

function tryOf(
  { clock }: PageParts,
  { client }: Waiting,
  request: FastifyRequest,
  username: string,
): SignInTry {
  const { tenant_id: tenantId, kind } = oursOf(client)
  return {
    tenantId,
    kind: kind === 'first_party' ? 'operator' : 'customer',
    username,
    origin: request.ip,
    at: clock.now(),
    requestId: request.id,
    clientId: client.clientId,
  }
}

async function answerTo(
  step: SignInStep,
  waiting: Waiting,
  request: FastifyRequest,
  reply: FastifyReply,
  { username, progress }: { readonly username: string; readonly progress: Progress },
): Promise<string> {
  const { interaction, client } = waiting
  if (step.kind === 'signed_in') {
    const { user, level } = step
    const hasSecondFactor = level.acr !== 'ch:1'
    const needed = neededLevel({ ...interaction.params, client, hasSecondFactor })
    if (!reaches(level.acr, needed)) return await finish(waiting, request, reply, TOO_WEAK)
    const accountId = publicId('usr', user.user_id)
    return await finish(waiting, request, reply, {
      login: { accountId, ...level, amr: [...level.amr], remember: false },
    })
  }
  await keepProgress(interaction, afterwards(step, username, progress))
  return `/oauth/interaction/${interaction.uid}`
}

// The customer has no second factor: the bank must enrol one before this can be granted.
const TOO_WEAK = {
  error: 'unmet_authentication_requirements',
  error_description: 'this needs a second factor, and the person has none',
}

/** What the page that is shown again remembers. */
export function afterwards(
  step: Exclude<SignInStep, { kind: 'signed_in' }>,
  username: string,
  { passwordOk }: Progress,
): Progress {
  if (step.kind === 'code_needed') return { username, passwordOk: step.passwordOk }
  if (step.kind === 'blocked') {
    const keeps = passwordOk === undefined ? {} : { passwordOk }
    return { username, ...keeps, problem: 'blocked' }
  }
  return { username, problem: passwordOk === undefined ? 'wrong' : 'wrong_code' }
}
