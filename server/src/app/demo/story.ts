import type { Credentials } from '../credentials.ts'
import type { Api } from './api.ts'
import type { Browser } from './banking/browser.ts'
import type { Checks } from './checks.ts'
import type { Facts } from './facts.ts'

/** What every step of the demo works with. */
export interface Story {
  readonly credentials: Credentials
  readonly api: Api
  /** A customer's browser, which stops where it is sent back to the app. */
  readonly browse: (callback: string) => Browser
  readonly checks: Checks
  /** What earlier steps found. */
  readonly facts: Facts
}

/** One act of a back office. It ends well only when it has checked something. */
export interface Step {
  readonly title: string
  readonly run: (story: Story) => Promise<void>
}
