import { CHALLENGE_MS } from '../passkeys/passkey-challenge.ts'
import { type Html, html } from './html.ts'
import { alert, page } from './layout.ts'
import type { LoginProblem } from './login.page.ts'
import { PASSKEY_SCRIPT_PATH } from './passkey-script.ts'

export interface PasskeyPage {
  readonly bank: string
  /** None: at the bank's own pages. */
  readonly app?: string
  readonly username: string
  /** Domain name of the issuer. */
  readonly rpId: string
  readonly challenge: string
  readonly problem?: LoginProblem | undefined
  /** The app takes nothing less. */
  readonly isOnlyWay: boolean
}

/** The name is known; now the passkey. Whoever cannot goes back to the password. */
export function passkeyPage(asked: PasskeyPage): string {
  const { bank, app, username, rpId, challenge, problem, isOnlyWay } = asked
  const what = 'Use your passkey'
  const options = { challenge, rpId, userVerification: 'required', timeout: CHALLENGE_MS }
  return page({
    title: problem === undefined ? what : `Error: ${what}`,
    bank,
    script: PASSKEY_SCRIPT_PATH,
    body: html`<h1>${what}</h1>
<p class="quiet">to continue ${app !== undefined && html`to <strong>${app}</strong> `}as <strong>${username}</strong></p>
${alert(problem === undefined ? undefined : PROBLEMS[problem])}
<p>Your device asks for your finger, your face or its PIN. We see none of them.</p>
${ceremony('get', options)}
<input type="hidden" name="passkey" value="">
<div class="buttons"><button type="button" data-start hidden>Use passkey</button>
<button class="plain" name="decision" value="password">${isOnlyWay ? 'Change the user name' : 'Sign in another way'}</button>
${app !== undefined && html`<button class="plain" name="decision" value="cancel">Cancel</button>`}</div>
</form>`,
  })
}

const PROBLEMS: Readonly<Record<LoginProblem, string>> = {
  name_missing: 'Please go back and enter your user name.',
  wrong: 'That did not work. Please try again.',
  wrong_code: 'That did not work. Please try again.',
  wrong_passkey: 'That did not work. Please use a passkey of this user name, and try again.',
  blocked: 'There were too many tries. Please wait a while before you try again.',
}

/** The beginning of a form that the script finds, with all that it may have to say. */
export function ceremony(kind: 'get' | 'create', options: object): Html {
  const words = WORDS[kind]
  return html`<p id="passkey-status" role="status"></p>
<noscript><p>A passkey needs JavaScript, which is switched off in this browser.</p></noscript>
<form method="post" data-ceremony="${kind}" data-options="${JSON.stringify(options)}" data-waiting="${words.waiting}" data-failed="${words.failed}" data-known="${words.known}" data-unable="This browser cannot use passkeys.">`
}

const WORDS = {
  get: {
    waiting: 'Follow what your device says.',
    failed: 'No passkey was used. Try again, or sign in another way.',
    known: 'No passkey was used. Try again, or sign in another way.',
  },
  create: {
    waiting: 'Follow what your device says.',
    failed: 'No passkey was made. You can try again.',
    known: 'This device holds a passkey of yours already.',
  },
} as const
