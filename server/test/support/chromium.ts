import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PATH = '/usr/bin/chromium'

/** Why no browser test can run here, for the runner to print; false where one can. */
export const noChromium: string | false = existsSync(PATH) ? false : `there is no ${PATH}`

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The machine's Chromium without a window, on a profile of its own that goes when it is closed. */
export async function openChromium(): Promise<Browser> {
  return await chromium.launch({ executablePath: PATH, headless: true, args: QUIET })
}
