import { elapsed } from '../../platform/clock.ts'
import type { Credentials } from '../credentials.ts'
import { type Exchange, createApi } from './api.ts'
import { openBrowser } from './banking/browser.ts'
import { type Check, CheckFailed, createChecks } from './checks.ts'
import { createFacts } from './facts.ts'
import type { Reporter } from './report.ts'
import type { Step, Story } from './story.ts'

export interface RunOptions {
  readonly credentials: Credentials
  readonly reporter: Reporter
  /** Ends the run, as Ctrl-C does. */
  readonly signal: AbortSignal
}

/**
 * Runs the steps one after the other, until one fails: each stands on those before it. Answers
 * whether all of them did what they should, which takes at least one check in each.
 */
export async function runSteps(steps: readonly Step[], options: RunOptions): Promise<boolean> {
  const { credentials, reporter, signal } = options
  const began = elapsed()
  let exchanges: Exchange[] = []
  let checks: Check[] = []
  let total = 0
  const note = (exchange: Exchange) => {
    exchanges.push(exchange)
    reporter.exchanged(exchange)
  }
  const story: Story = {
    credentials,
    facts: createFacts(),
    api: createApi({
      baseUrl: credentials.base_url,
      signal,
      note,
    }),
    browse: (callback) => openBrowser({ origin: credentials.base_url, callback, signal, note }),
    checks: createChecks((check) => {
      checks.push(check)
      reporter.checked(check)
    }),
  }
  for (const [index, { title, run }] of steps.entries()) {
    exchanges = []
    checks = []
    const step = index + 1
    const since = elapsed()
    reporter.began(step, title)
    const fault = await faultOf(async () => {
      signal.throwIfAborted()
      await run(story)
      if (checks.length === 0) throw new Error('nothing was checked')
    })
    const error = fault instanceof CheckFailed ? {} : fault && { error: reasonOf(fault) }
    const ok = fault === undefined
    reporter.ended({ step, title, ok, exchanges, checks, ...error, ms: elapsed() - since })
    if (!ok) return false
    total += checks.length
  }
  reporter.finished({ steps: steps.length, checks: total, ms: elapsed() - began })
  return true
}

async function faultOf(run: () => Promise<void>): Promise<Error | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** `fetch` says only that it failed; its cause says why. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
