import { type Html, html } from './html.ts'
import { alert, page } from './layout.ts'

/** What went wrong with the try before. */
export type LoginProblem = 'name_missing' | 'wrong' | 'wrong_code' | 'wrong_passkey' | 'blocked'

export interface LoginPage {
  readonly bank: string
  /** None: at the bank's own pages. */
  readonly app?: string
  /** What the bank's own pages are good for. */
  readonly purpose?: string
  readonly username: string
  readonly problem?: LoginProblem | undefined
  /** The password was taken; now the code. */
  readonly asksForCode: boolean
  /** `asked`: the app takes nothing less. */
  readonly passkey: 'impossible' | 'offered' | 'asked'
}

/** A password manager fills both fields, a reader hears what is wrong and in which, and Enter sends. */
export function loginPage(asked: LoginPage): string {
  const { bank, app, username, problem, asksForCode, passkey } = asked
  const what = asksForCode ? 'Enter your code' : 'Sign in'
  const title = problem === undefined ? what : `Error: ${what}`
  const isPasskeyOnly = passkey === 'asked' && !asksForCode
  const fields = isPasskeyOnly ? nameField(username, problem) : fieldsOf(asked)
  return page({
    title,
    bank,
    body: html`<h1>${what}</h1>
<p class="quiet">${app === undefined ? asked.purpose : html`to continue to <strong>${app}</strong>`}</p>
${alert(problem === undefined ? undefined : PROBLEMS[problem])}
<form method="post">
${fields}
<div class="buttons">${isPasskeyOnly ? html`` : html`<button name="decision" value="continue">${asksForCode ? 'Continue' : 'Sign in'}</button>`}
${passkey === 'impossible' ? html`` : html`<button${!isPasskeyOnly && html` class="plain"`} name="decision" value="passkey" formnovalidate>Use a passkey</button>`}
${cancelButton(app, asksForCode)}</div>
</form>`,
  })
}

// Without an app there is nowhere to go back to but to the first step.
function cancelButton(app: string | undefined, asksForCode: boolean): Html {
  if (app === undefined && !asksForCode) return html``
  const word = app === undefined ? 'Start again' : 'Cancel'
  return html`<button class="plain" name="decision" value="cancel" formnovalidate>${word}</button>`
}

const PROBLEMS: Readonly<Record<LoginProblem, string>> = {
  name_missing: 'Please enter your user name first.',
  wrong: 'This user name and password do not fit together. Please try again.',
  wrong_code: 'That did not work. Please sign in again, and wait for a new code.',
  wrong_passkey: 'That did not work. Please try again.',
  blocked: 'There were too many tries. Please wait a while before you try again.',
}

function fieldsOf({ username, problem, asksForCode }: LoginPage): Html {
  return asksForCode ? codeFields(problem) : passwordFields(username, problem)
}

function nameField(username: string, problem: LoginProblem | undefined): Html {
  return html`<label for="username">User name</label>
<input id="username" name="username" type="text" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="200" required${wrong(problem)}>`
}

function passwordFields(username: string, problem: LoginProblem | undefined): Html {
  return html`${nameField(username, problem)}
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000" required${wrong(problem)}>`
}

function codeFields(problem: LoginProblem | undefined): Html {
  return html`<label for="otp">Six-digit code</label>
<p class="hint" id="otp-hint">From the authenticator app on your phone. A code works once.</p>
<input id="otp" class="code" name="otp" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required aria-describedby="otp-hint${problem === undefined ? '' : ' problem'}">`
}

function wrong(problem: LoginProblem | undefined): Html {
  return problem === undefined ? html`` : html` aria-invalid="true" aria-describedby="problem"`
}
