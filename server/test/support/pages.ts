import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import axe from 'axe-core'
import type { Page } from 'playwright-core'

const shots = process.env['COUNTINGHOUSE_TEST_SHOTS'] // a directory: for looking at the pages

/** An app's own site, where its customers come back to. */
export interface AppSite {
  readonly url: string
  close(): Promise<void>
}

/** `hostname`: `localhost` or `127.0.0.1`, whichever the bank is not at. */
export async function openAppSite(hostname: string): Promise<AppSite> {
  const server = createServer((_request, response) => response.end('back at the app'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${hostname}:${port}/callback`,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

export async function shot(page: Page, name: string): Promise<void> {
  if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })
}

/** What breaks WCAG 2.2 AA or good practice on the page, one text per rule. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )) as { violations: { id: string; nodes: { html: string }[] }[]; passes: unknown[] }
  assert.ok(found.passes.length > 10, 'the checker looked at the page')
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`)
}

/** What the content policy turns away on the page, from now on. */
export function refusals(page: Page): string[] {
  const seen: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) seen.push(message.text())
  })
  return seen
}
