import type { StandingConsent } from '../customer-consents.ts'
import { type Html, html } from '../pages/html.ts'
import { page } from '../pages/layout.ts'

export interface ConsentsView {
  readonly bank: string
  /** Path of the bank's own pages. */
  readonly home: string
  readonly person: string
  readonly consents: readonly (StandingConsent & { readonly app: string })[]
  /** What was done last. */
  readonly notice?: string | undefined
}

/** Which apps have access, to what, how much, until when and when money was moved last, with a button each to end it. */
export function consentsPage({ bank, home, person, consents, notice }: ConsentsView): string {
  return page({
    title: 'Apps with access',
    bank,
    body: html`<h1>Apps with access to your accounts</h1>
<p class="quiet">You are signed in as ${person}.</p>
${notice === undefined ? html`` : html`<p class="notice" role="status">${notice}</p>`}
${consents.length === 0 ? html`<p>No app has access to your accounts.</p>` : html`<p>Taking access back works at once. The app can then no longer see anything or pay anything, until you allow it again in the app.</p>`}
${consents.map((consent) => cardOf(home, consent))}
<p><a href="${home}/passkeys">Your passkeys</a></p>
<form method="post" action="${home}/sign-out">
<div class="buttons"><button class="plain">Sign out</button></div>
</form>`,
  })
}

function cardOf(home: string, consent: ConsentsView['consents'][number]): Html {
  const { id, app, accounts, permissions, limits, payment, givenAt, validUntil, lastTransferAt } =
    consent
  return html`<section class="card" aria-labelledby="${id}">
<h2 id="${id}">${app}</h2>
<dl>
${row('Accounts', accounts)}
${row('It may', payment === undefined ? permissions : [payment])}
${row('Limits', limits)}
${row('Allowed on', [dayOf(givenAt)])}
${row('Until', [dayOf(validUntil)])}
${lastTransferAt === undefined ? html`` : row('Last transfer', [lastTransferAt === null ? 'None yet' : momentOf(lastTransferAt)])}
</dl>
<form method="post" action="${home}/consents">
<div class="buttons"><button name="consent_id" value="${id}">Take back access of ${app}</button></div>
</form>
</section>`
}

function row(name: string, values: readonly string[]): Html {
  if (values.length === 0) return html``
  return html`<dt>${name}</dt><dd>${values.map((value, at) => html`${at > 0 && html`<br>`}${value}`)}</dd>`
}

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })
const MOMENT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
})

function dayOf(at: Date): string {
  return DAY.format(at)
}

function momentOf(at: Date): string {
  return `${MOMENT.format(at)} UTC`
}
