import type { FastifyPluginAsync } from 'fastify'
import { errors } from 'oidc-provider'
import { showConsent, takeConsent } from './consent-step.ts'
import { isOwnForm, readForms } from './form.ts'
import { type PageParts, type Waiting, waitingFor } from './interaction.ts'
import { PASSKEY_SCRIPT, PASSKEY_SCRIPT_PATH } from './passkey-script.ts'
import { sendPage, showFailure } from './send-page.ts'
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
      const targets = [redirectOf(waiting)]
      if (waiting.interaction.prompt.name !== 'login') {
        return sendPage(reply, await showConsent(parts, waiting), targets)
      }
      const { text, hasScript } = showLogin(parts, waiting)
      return sendPage(reply, text, targets, hasScript)
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
    app.get(PASSKEY_SCRIPT_PATH, { config, schema }, async (_request, reply) => {
      return reply
        .header('cache-control', 'public, max-age=31536000, immutable')
        .type('text/javascript; charset=utf-8')
        .send(PASSKEY_SCRIPT)
    })
  }
}

function redirectOf({ interaction }: Waiting): string {
  return String(interaction.params['redirect_uri'])
}
