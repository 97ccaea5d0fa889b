import type { ConsentPage } from '../consent-slot.ts'
import { type Html, html } from './html.ts'
import { alert, page } from './layout.ts'

export interface ConsentView {
  readonly bank: string
  readonly app: string
  /** Path of the customer's own pages. */
  readonly home: string
  readonly page: ConsentPage
  /** What the person had chosen, when the page is shown again. */
  readonly chosen?: readonly string[] | undefined
  readonly problem?: string | undefined
}

/** Which app, at which bank, what it may do, on which accounts, how much, until when, and the way back. */
export function consentPage({
  bank,
  app,
  home,
  page: asked,
  chosen,
  problem,
}: ConsentView): string {
  const question = `Give ${app} access?`
  return page({
    title: problem === undefined ? question : `Error: ${question}`,
    bank,
    body: html`<h1>${question}</h1>
<p><strong>${app}</strong> asks for access to your accounts at <strong>${bank}</strong>.</p>
${alert(problem)}
${asked.payment === undefined ? html`` : html`<h2>The payment</h2><p class="payment">${asked.payment}</p>`}
${list('It may', asked.permissions)}
${list('Limits', asked.limits)}
<form method="post">
${accountsOf(asked, chosen, problem)}
<h2>Until when</h2>
<p>${dayOf(asked.validUntil)}. You can take this back at any time, in the app or on <a href="${home}" target="_blank" rel="noopener">your own pages at ${bank} (opens in a new tab)</a>. It then ends at once.</p>
<div class="buttons"><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Do not allow</button></div>
</form>`,
  })
}

function list(title: string, sentences: readonly string[]): Html {
  if (sentences.length === 0) return html``
  return html`<h2>${title}</h2>
<ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`
}

function accountsOf(
  { accounts }: ConsentPage,
  chosen: readonly string[] | undefined,
  problem: string | undefined,
): Html {
  if (accounts.length === 0) return html``
  const described = problem === undefined ? html`` : html` aria-describedby="problem"`
  return html`<fieldset${described}><legend>On these accounts</legend>
${accounts.map(({ id, label, selected }) => {
  const isOn = chosen === undefined ? selected : chosen.includes(id)
  return html`<label class="choice"><input type="checkbox" name="account_ids" value="${id}"${isOn && html` checked`}> <span>${label}</span></label>`
})}
</fieldset>`
}

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })

function dayOf(at: Date): string {
  return DAY.format(at)
}
