import { type Html, html } from './html.ts'
import { STYLE_PATH } from './style.ts'

export interface Layout {
  readonly title: string
  /** The bank, as its tenant is called. Default: none. */
  readonly bank?: string
  /** Path of the page's script. Default: it has none. */
  readonly script?: string
  readonly body: Html
}

/** A whole page in words that a screen reader can follow: one landmark, one heading. */
export function page({ title, bank, script, body }: Layout): string {
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}${bank === undefined ? '' : ` · ${bank}`}</title>
<link rel="stylesheet" href="${STYLE_PATH}">${
    script === undefined
      ? html``
      : html`
<script type="module" src="${script}"></script>`
  }
</head>
<body>
<header><p class="bank">${bank ?? 'Countinghouse'}</p></header>
<main>
${body}
</main>
<footer><p>Never tell anybody your password or a code. Your bank does not ask for them by phone or mail.</p></footer>
</body>
</html>
`
  return whole.markup
}

/** The summary of what went wrong, read out at once and reachable by keyboard. */
export function alert(message: string | undefined): Html {
  if (message === undefined) return html``
  return html`<div class="alert" role="alert" id="problem" tabindex="-1"><h2>There is a problem</h2><p>${message}</p></div>`
}
