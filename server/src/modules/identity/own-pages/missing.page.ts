import { html } from '../pages/html.ts'
import { page } from '../pages/layout.ts'

/** For an address below which no bank has its pages. */
export function missingPage(): string {
  return page({
    title: 'There is no page here',
    body: html`<h1>There is no page here</h1>
<p>The address may be mistyped. Your bank tells you the address of its pages, and so does the page on which you allow an app something.</p>`,
  })
}
