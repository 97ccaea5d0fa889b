import { styleText } from 'node:util'
import type { Exchange } from './api.ts'
import type { Check } from './checks.ts'
import { shorten } from './shorten.ts'

/** A step that has ended, well or not. */
export interface StepRecord {
  readonly step: number
  readonly title: string
  readonly ok: boolean
  readonly exchanges: readonly Exchange[]
  readonly checks: readonly Check[]
  /** Why it ended, when no check says so. */
  readonly error?: string
  readonly ms: number
}

export interface Summary {
  readonly steps: number
  readonly checks: number
  readonly ms: number
}

/** Hears what happens while it happens. */
export interface Reporter {
  began(step: number, title: string): void
  exchanged(exchange: Exchange): void
  checked(check: Check): void
  ended(record: StepRecord): void
  finished(summary: Summary): void
}

type Write = (text: string) => void

/** For a person: each step with what was asked, answered and checked. */
export function textReport(write: Write, colour: boolean): Reporter {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text
  return {
    began: (step, title) => write(`\n${paint('bold', `${`${step}`.padStart(2)}. ${title}`)}\n`),
    exchanged({ method, path, key, request, status, answer, times }) {
      const often = times > 1 ? `   (asked ${times} times)` : ''
      write(`    ${paint('cyan', `${method} ${path}`)}${often}\n`)
      if (key !== undefined) write(`        Idempotency-Key: ${key}\n`)
      if (request !== undefined) write(`${indented(request)}\n`)
      write(`    ${paint('cyan', `${status}`)}\n${indented(answer)}\n`)
    },
    checked({ what, expected, actual, ok }) {
      if (ok) return write(`    ${paint('green', 'ok')}  ${what}: ${shown(actual)}\n`)
      const fault = `FAILED  ${what}: expected ${shown(expected)}, actual ${shown(actual)}`
      write(`    ${paint('red', fault)}\n`)
    },
    ended({ error }) {
      if (error !== undefined) write(`    ${paint('red', `FAILED  ${error}`)}\n`)
    },
    finished({ steps, checks, ms }) {
      const text = `${steps} steps, ${checks} checks, all passed in ${(ms / 1000).toFixed(1)} s`
      write(`\n${paint('green', text)}\n`)
    },
  }
}

/** For a program: a JSON line per step. */
export function jsonReport(write: Write): Reporter {
  const nothing = () => undefined
  return {
    began: nothing,
    exchanged: nothing,
    checked: nothing,
    finished: nothing,
    ended(record) {
      const exchanges = record.exchanges.map(({ request, answer, ...exchange }) => ({
        ...exchange,
        request: shorten(request),
        answer: shorten(answer),
      }))
      write(`${JSON.stringify({ ...record, exchanges, ms: Math.round(record.ms) })}\n`)
    },
  }
}

const MAX_LINE = 320 // Shorter hides the amounts of a payment; longer buries the checks.

function indented(body: unknown): string {
  const short = shorten(body)
  const text = typeof short === 'string' ? short : shown(short)
  const lines = text.split('\n').map((line) => {
    return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)} …` : line
  })
  return lines.map((line) => `        ${line}`).join('\n')
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
