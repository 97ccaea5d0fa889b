import type { KoaContextWithOIDC } from 'oidc-provider'
import { html, trusted } from './html.ts'
import { alert, page } from './layout.ts'

type Context = KoaContextWithOIDC

interface OauthErrorBody {
  readonly error: string
  readonly error_description?: string | undefined
}

/** Where a browser goes by itself: programs that call the others want OAuth's object, come what may. */
const PAGES = new Set([
  'authorization',
  'resume',
  'end_session',
  'end_session_confirm',
  'end_session_success',
])

/** An error that cannot be told to the app: to a browser a page, to a program the OAuth object. */
export function renderError(ctx: Context, out: OauthErrorBody): void {
  if (!PAGES.has(ctx.oidc.route) || ctx.accepts('json', 'html') !== 'html') {
    ctx.type = 'json'
    ctx.body = out
    return
  }
  show(ctx, errorPage(out))
}

export function errorPage({ error, error_description: description }: OauthErrorBody): string {
  return page({
    title: 'This did not work',
    body: html`<h1>This did not work</h1>
${alert(WORDS[error] ?? OTHERWISE)}
<p>Nothing was changed. Go back to the app and begin again there.</p>
<dl><dt>Code</dt><dd>${error}</dd>${
      description === undefined ? html`` : html`<dt>Detail</dt><dd>${description}</dd>`
    }</dl>`,
  })
}

const OTHERWISE = 'The app sent you here with a request that we cannot follow.'
const WORDS: Readonly<Record<string, string>> = {
  invalid_client: 'We do not know the app that sent you here.',
  invalid_redirect_uri: 'The app named an address that is not registered for it.',
  invalid_request_uri: 'The request of the app has expired or was used before.',
  temporarily_unavailable: 'We cannot be reached for a moment. Please try again.',
  server_error: 'Something failed on our side.',
}

/** The library's form carries the proof that it was us who asked; the buttons are ours. */
export function renderLogout(ctx: Context, form: string): void {
  const app = ctx.oidc.client?.clientName
  show(
    ctx,
    page({
      title: 'Sign out',
      body: html`<h1>Do you want to sign out?</h1>
<p>${app === undefined ? 'An app' : app} asks to end your session in this browser. Apps that you gave access keep it until you take it back.</p>
${trusted(form)}
<div class="buttons"><button form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button class="plain" form="op.logoutForm">Stay signed in</button></div>`,
    }),
  )
}

export function renderSignedOut(ctx: Context): void {
  show(
    ctx,
    page({
      title: 'Done',
      body: html`<h1>Done</h1>
<p>You can close this page.</p>`,
    }),
  )
}

function show(ctx: Context, text: string): void {
  ctx.type = 'html'
  ctx.body = text
}
