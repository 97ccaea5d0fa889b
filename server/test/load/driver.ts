import type { HttpLoad, NaiveLoad, Question, Totals, Window } from './load.ts'

/** A load that runs. */
export interface Driver {
  /** What happened since the last mark. */
  mark(): Window
  /** Ends it once everything that was sent is answered. */
  stop(): Promise<Totals>
}

/** Answers the questions of one load after the other. */
export function answerWith(
  start: (load: HttpLoad | NaiveLoad) => Driver | Promise<Driver>,
): (question: Question) => Promise<Window | Totals | undefined> {
  let driver: Driver | undefined
  return async (question) => {
    if (question.kind === 'start') {
      driver = await start(question.load)
      return undefined
    }
    if (driver === undefined) throw new Error('no load runs')
    if (question.kind === 'mark') return driver.mark()
    const totals = await driver.stop()
    driver = undefined
    return totals
  }
}
