import type { Outcome } from '../../src/platform/errors.ts'

/** The codes of refusals, `ok` for what was accepted. */
export function verdicts(outcomes: readonly Outcome<unknown>[]): string[] {
  return outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.refusal.code))
}
