import { isDeepStrictEqual } from 'node:util'
import type { Answer } from './api.ts'
import { memberOf } from './json-members.ts'

export interface Check {
  readonly what: string
  readonly expected: unknown
  readonly actual: unknown
  readonly ok: boolean
}

/** The check itself has been noted; the step goes no further. */
export class CheckFailed extends Error {}

export interface Checks {
  equal(what: string, actual: unknown, expected: unknown): void
  /** Status and members of an answer, each named by its path, as `failure.code`. */
  answer(answer: Answer, status: number, members?: Readonly<Record<string, unknown>>): void
}

/** @throws CheckFailed from a check that does not hold. */
export function createChecks(note: (check: Check) => void): Checks {
  function equal(what: string, actual: unknown, expected: unknown): void {
    const ok = isDeepStrictEqual(actual, expected)
    note({ what, expected, actual, ok })
    if (!ok) throw new CheckFailed(what)
  }
  return {
    equal,
    answer(answer, status, members = {}) {
      equal('HTTP status', answer.status, status)
      for (const [path, expected] of Object.entries(members)) {
        equal(path, memberOf(answer.body, path), expected)
      }
    },
  }
}
