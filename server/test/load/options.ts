import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Case, cases, fullOnly } from './cases.ts'

export interface Options {
  readonly profile: 'quick' | 'full'
  readonly cases: readonly Case[]
  readonly rounds: number
  /** Of measuring, per case and round. */
  readonly seconds: number
  /** Before it: in the first round, and in later ones. */
  readonly warmUpSeconds: readonly [first: number, later: number]
  readonly accounts: number
  /** Requests a second for the book cases, which then run as an open loop. */
  readonly rate: number | undefined
  readonly out: string
  readonly strict: boolean
  readonly cpuProfile: boolean
}

const USAGE = `usage: npm run bench -- [options]
  --quick             about a minute and a half; the default takes some eight
  --only NAMES        of: ${cases.map(({ name }) => name).join(' ')}
  --rounds N --seconds N --warmup N --accounts N
  --rate N            book payments a second, open loop, instead of as many as are answered
  --out DIR           for bench-report.json and profiles; default: here
  --profile           profile the service's CPU and print where it goes
  --strict            exit 1 when a bar is missed`

/** Throws with the usage when a flag is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parse(args)
  const profile = values.quick ? 'quick' : 'full'
  const { rounds, seconds, warmup, accounts } = values
  const defaults = profile === 'quick' ? QUICK : FULL
  return {
    profile,
    cases: casesOf(values.only, profile),
    rounds: number(rounds, defaults.rounds),
    seconds: number(seconds, defaults.seconds),
    warmUpSeconds:
      warmup === undefined ? defaults.warmUpSeconds : [number(warmup, 0), number(warmup, 0)],
    accounts: number(accounts, defaults.accounts),
    rate: values.rate === undefined ? undefined : number(values.rate, 0),
    out: resolve(values.out),
    strict: values.strict,
    cpuProfile: values.profile,
  }
}

const QUICK = { rounds: 1, seconds: 4, warmUpSeconds: [2, 2], accounts: 10_000 } as const
const FULL = { rounds: 3, seconds: 8, warmUpSeconds: [5, 2], accounts: 100_000 } as const

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        warmup: { type: 'string' },
        accounts: { type: 'string' },
        rate: { type: 'string' },
        out: { type: 'string', default: '.' },
        profile: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`, { cause: error })
  }
}

function number(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!(value > 0) || value > 1_000_000) throw new Error(`not a number in range: ${text}\n${USAGE}`)
  return value
}

function casesOf(only: string | undefined, profile: Options['profile']): readonly Case[] {
  if (only === undefined)
    return cases.filter(({ name }) => profile === 'full' || !fullOnly.has(name))
  const names = only.split(',')
  const unknown = names.filter((name) => cases.every((one) => one.name !== name))
  if (unknown.length > 0) throw new Error(`no such case: ${unknown.join(' ')}\n${USAGE}`)
  return cases.filter(({ name }) => names.includes(name))
}
