import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import { DatabaseUnavailable } from '../../../platform/db/transaction.ts'
import { showConsent, takeConsent } from './consent-step.ts'
import { contentPolicy } from './content-policy.ts'
import { isOwnForm, readForms } from './form.ts'
import { type PageParts, type Waiting, waitingFor } from './interaction.ts'
import { errorPage } from './library-pages.ts'
import { showLogin, takeLogin } from './sign-in-step.ts'
import { STYLE, STYLE_PATH } from './style.ts'

/**
 * The pages of an authorization request: sign in, agree, go back to the app. They are plain forms
 * that post to their own address and are answered by a redirect, so that a reload sends nothing
 * again. Which of them is shown, the library says; what was decided, it is told.
 */
export function interactionRoutes(parts: PageParts): FastifyPluginAsync {
  return async function routes(app) {
    readForms(app)
    app.setErrorHandler(showFailure)
    const config = { public: true } as const
    const schema = { hide: true }
    app.get('/oauth/interaction/:uid', { config, schema }, async (request, reply) => {
      const waiting = await waitingFor(parts, request, reply)
      const isLogin = waiting.interaction.prompt.name === 'login'
      const text = isLogin ? showLogin(waiting) : await showConsent(parts, waiting)
      return sendPage(reply, text, [redirectOf(waiting)])
    })
    app.post('/oauth/interaction/:uid', { config, schema }, async (request, reply) => {
      if (!isOwnForm(request, parts.issuer)) throw new errors.InvalidRequest('not sent from here')
      const waiting = await waitingFor(parts, request, reply)
      const isLogin = waiting.interaction.prompt.name === 'login'
      const take = isLogin ? takeLogin : takeConsent
      return reply.redirect(await take(parts, waiting, request, reply), 303)
    })
    app.get(STYLE_PATH, { config, schema }, async (_request, reply) => {
      return reply
        .header('cache-control', 'public, max-age=31536000, immutable')
        .type('text/css; charset=utf-8')
        .send(STYLE)
    })
  }
}

function redirectOf({ interaction }: Waiting): string {
  return String(interaction.params['redirect_uri'])
}

function sendPage(reply: FastifyReply, text: string, targets: readonly string[]): FastifyReply {
  return reply
    .header('content-security-policy', contentPolicy(targets))
    .type('text/html; charset=utf-8')
    .send(text)
}

// A page for whatever fails, with no more about it than the person can use.
function showFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = failureOf(error)
  if (status === 500) {
    request.log.error({ err: error, request_id: request.id }, 'page failed')
  }
  reply.code(status)
  void sendPage(reply, errorPage(body), [])
}

function failureOf(error: unknown) {
  if (error instanceof errors.SessionNotFound) {
    const description = 'the request has expired, or this browser did not make it'
    return { status: 400, body: { error: 'invalid_request', error_description: description } }
  }
  if (error instanceof errors.OIDCProviderError && error.expose) {
    const { statusCode: status, error: code, error_description } = error
    return { status, body: { error: code, error_description } }
  }
  if (error instanceof DatabaseUnavailable) {
    return { status: 503, body: { error: 'temporarily_unavailable' } }
  }
  const status = (error as { statusCode?: number } | null)?.statusCode ?? 500
  const isTheirs = status >= 400 && status < 500
  return isTheirs
    ? { status, body: { error: 'invalid_request' } }
    : { status: 500, body: { error: 'server_error' } }
}
