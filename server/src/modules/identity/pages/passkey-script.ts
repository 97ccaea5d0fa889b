import { hash } from 'node:crypto'

/**
 * The one script of the pages: it asks the browser for a passkey and sends the form with the answer.
 * A page without it still works, by its other buttons. `data-ceremony` is `get` to sign in or
 * `create` to enrol; `data-options` are the options of WebAuthn Level 3 §5.4 and §5.5 with bytes in
 * base64url.
 */
export const PASSKEY_SCRIPT = `const form = document.querySelector('form[data-ceremony]')
const start = form.querySelector('[data-start]')
const status = document.getElementById('passkey-status')

function bytes(text) {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer))
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function optionsOf(ceremony) {
  const options = JSON.parse(form.dataset.options)
  options.challenge = bytes(options.challenge)
  if (ceremony === 'get') return options
  options.user.id = bytes(options.user.id)
  for (const known of options.excludeCredentials) known.id = bytes(known.id)
  return options
}

function shown(credential) {
  const { id, rawId, type, response } = credential
  const answer = { clientDataJSON: text(response.clientDataJSON) }
  if (response.attestationObject) {
    answer.attestationObject = text(response.attestationObject)
    answer.transports = response.getTransports ? response.getTransports() : []
  } else {
    answer.authenticatorData = text(response.authenticatorData)
    answer.signature = text(response.signature)
    if (response.userHandle) answer.userHandle = text(response.userHandle)
  }
  return { id, rawId: text(rawId), type, response: answer }
}

async function ask() {
  const { ceremony } = form.dataset
  start.disabled = true
  status.textContent = form.dataset.waiting
  try {
    const credential = await navigator.credentials[ceremony]({ publicKey: optionsOf(ceremony) })
    form.elements.passkey.value = JSON.stringify(shown(credential))
    form.submit()
  } catch (error) {
    const isKnown = error.name === 'InvalidStateError'
    status.textContent = isKnown ? form.dataset.known : form.dataset.failed
    start.disabled = false
  }
}

if (window.PublicKeyCredential) {
  start.hidden = false
  start.addEventListener('click', ask)
  form.addEventListener('submit', (event) => {
    if (event.submitter !== null) return
    event.preventDefault() // Enter in a field
    void ask()
  })
} else {
  status.textContent = form.dataset.unable
}
`

/** Named by what it says, so that it can be kept for a year. */
export const PASSKEY_SCRIPT_PATH = `/oauth/passkey-${hash('sha256', PASSKEY_SCRIPT, 'hex').slice(0, 12)}.js`
