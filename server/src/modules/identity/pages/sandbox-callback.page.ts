import { type Html, html } from './html.ts'
import { alert, page } from './layout.ts'

export interface CallbackView {
  readonly issuer: string
  /** Where the page is, as it is registered for the sample app. */
  readonly redirectUri: string
  /** What the browser brought; anybody may have made the address up. */
  readonly code: string | undefined
  readonly state: string | undefined
  readonly error: string | undefined
  readonly description: string | undefined
}

/** What an app's own site would do next with a code, for a person to do by hand. */
export function callbackPage({ error, description, ...view }: CallbackView): string {
  const title = view.code === undefined ? 'No code' : 'The app has a code'
  return page({
    title,
    body: html`<h1>${title}</h1>
<p>This page stands in the place of the sample app’s own site. A real app does the rest by itself.</p>
${error === undefined ? html`` : alert(`${error}${description === undefined ? '' : `: ${description}`}`)}
<dl>${row('Code', view.code)}${row('State', view.state)}</dl>
${nextStep(view)}`,
  })
}

function row(name: string, value: string | undefined): Html {
  return value === undefined ? html`` : html`<dt>${name}</dt><dd><code>${value}</code></dd>`
}

// What a shell would take for more than a word stays out of a line that somebody will paste.
const PLAIN = /^[\w-]{1,200}$/

function nextStep({
  issuer,
  redirectUri,
  code,
}: Pick<CallbackView, 'issuer' | 'redirectUri' | 'code'>): Html {
  if (code === undefined) {
    return html`<p>Nothing was given to the app. Open its request again to begin anew.</p>`
  }
  if (!PLAIN.test(code)) return html`<p>That is no code of this server.</p>`
  return html`<h2>Change it for tokens</h2>
<p>Within a minute, and once. Check before that the state is the one you sent.</p>
<pre>curl -u "$APP_ID:$APP_SECRET" ${issuer}/oauth/token \\
  -d grant_type=authorization_code \\
  -d code=${code} \\
  -d redirect_uri=${redirectUri} \\
  -d code_verifier="$VERIFIER"</pre>`
}
