import { type Html, html } from '../pages/html.ts'
import { alert, page } from '../pages/layout.ts'
import { ceremony } from '../pages/passkey.page.ts'
import { PASSKEY_SCRIPT_PATH } from '../pages/passkey-script.ts'
import type { ChangeFault } from '../passkeys/own-passkeys.ts'
import type { PasskeyRow } from '../passkeys/passkey.queries.ts'
import { publicId } from '../../../platform/ids.ts'

export interface PasskeysView {
  readonly bank: string
  /** Path of the person's own pages. */
  readonly home: string
  readonly person: string
  /** Whether there is a page of apps with access. */
  readonly hasConsents: boolean
  readonly passkeys: readonly PasskeyRow[]
  /** For the script; absent where none can be added now. */
  readonly options?: object | undefined
  readonly fault?: ChangeFault | undefined
  /** What was done last. */
  readonly notice?: string | undefined
  readonly problem?: string | undefined
}

/** The passkeys of a person, a button each to remove it, and a form to add one. */
export function passkeysPage(view: PasskeysView): string {
  const { bank, home, person, hasConsents, passkeys, options, fault, notice, problem } = view
  const title = 'Your passkeys'
  return page({
    title: problem === undefined ? title : `Error: ${title}`,
    bank,
    ...(options !== undefined && { script: PASSKEY_SCRIPT_PATH }),
    body: html`<h1>${title}</h1>
<p class="quiet">You are signed in as ${person}.</p>
${notice === undefined ? html`` : html`<p class="notice" role="status">${notice}</p>`}
${alert(problem)}
<p>A passkey lets you sign in with your finger, your face or the PIN of your device, in place of a password and a code.</p>
${passkeys.length === 0 ? html`<p>You have no passkey yet.</p>` : passkeys.map((one) => cardOf(one, fault === undefined))}
${options === undefined ? wayOut(fault) : addForm(options)}
${hasConsents && html`<p><a href="${home}/consents">Apps with access to your accounts</a></p>`}
<form method="post" action="${home}/sign-out">
<div class="buttons"><button class="plain">Sign out</button></div>
</form>`,
  })
}

function cardOf(row: PasskeyRow, isRemovable: boolean): Html {
  const id = publicId('psk', row.passkey_id)
  return html`<section class="card" aria-labelledby="${id}">
<h2 id="${id}">${row.name}</h2>
<dl>
<dt>Added on</dt><dd>${DAY.format(row.created_at)}</dd>
<dt>Last used</dt><dd>${row.last_used_at === null ? 'Never' : DAY.format(row.last_used_at)}</dd>
<dt>Kept</dt><dd>${row.is_synced ? 'in your devices, copied between them' : 'in one device'}</dd>
</dl>
${
  isRemovable &&
  html`<form method="post">
<div class="buttons"><button class="plain" name="remove" value="${id}">Remove ${row.name}</button></div>
</form>`
}
</section>`
}

function addForm(options: object): Html {
  return html`<h2>Add a passkey</h2>
${ceremony('create', options)}
<input type="hidden" name="passkey" value="">
<label for="name">A name for it</label>
<p class="hint" id="name-hint">Such as the device that keeps it.</p>
<input id="name" name="name" type="text" maxlength="60" autocomplete="off" aria-describedby="name-hint">
<div class="buttons"><button type="button" data-start hidden>Add a passkey</button></div>
</form>`
}

function wayOut(fault: ChangeFault | undefined): Html {
  if (fault === undefined) return html`<p>You have as many passkeys as there may be.</p>`
  return html`<p>${FAULTS[fault]}</p>`
}

const FAULTS: Readonly<Record<ChangeFault, string>> = {
  impossible: 'Passkeys cannot be used at this address.',
  sign_in_again: 'To add or remove a passkey, please sign out and in again: it was some time ago.',
  second_factor_needed:
    'To add a passkey you need one-time codes first. Your bank sets them up with you.',
}

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })
