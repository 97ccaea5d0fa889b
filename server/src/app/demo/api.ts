import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { elapsed } from '../../platform/clock.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Of JSON; undefined for anything else. */
  readonly body: unknown
}

/** A request and its answer, as they are shown. */
export interface Exchange {
  readonly method: string
  readonly path: string
  /** The Idempotency-Key, where it matters to the story. */
  readonly key?: string
  readonly request: unknown
  readonly status: number
  readonly answer: unknown
  /** How often it was asked until the answer was this one. */
  readonly times: number
}

export interface Asked {
  /** Sent as JSON; a form as it is. */
  readonly body?: object | URLSearchParams
  readonly query?: Readonly<Record<string, string | number>>
  readonly headers?: Readonly<Record<string, string>>
  /** Of a POST; a fresh one by default. */
  readonly key?: string
}

export interface Api {
  get(path: string, asked?: Omit<Asked, 'body' | 'key'>): Promise<Answer>
  post(path: string, asked?: Asked): Promise<Answer>
  /** Asks again until the answer is what was waited for, or the time is up: by default 10 s. */
  poll(path: string, isDone: (body: unknown) => boolean, pace?: Pace): Promise<Answer>
  /** From now on every request carries this access token. */
  carry(token: string): void
}

export interface Pace {
  readonly everyMs: number
  readonly limitMs: number
}

interface ApiOptions {
  readonly baseUrl: string
  readonly signal: AbortSignal
  readonly note: (exchange: Exchange) => void
}

const TIMEOUT_MS = 10_000
// A card payment takes some 100 ms; shorter only makes the list of questions longer.
const PACE: Pace = { everyMs: 50, limitMs: TIMEOUT_MS }

/** The API as any program in any language would call it. */
export function createApi({ baseUrl, signal, note }: ApiOptions): Api {
  let authorization: Record<string, string> = {}

  async function send(method: string, path: string, asked: Asked): Promise<Answer> {
    const { body, headers, key = randomUUID() } = asked
    const isForm = body instanceof URLSearchParams
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      redirect: 'error',
      headers: {
        ...authorization,
        ...(method === 'POST' && !isForm && { 'idempotency-key': key }),
        ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: jsonOf(text) }
  }

  async function ask(method: string, path: string, asked: Asked): Promise<Answer> {
    const full = `${path}${queryOf(asked.query)}`
    const answer = await send(method, full, asked)
    note(exchangeOf(method, full, asked, answer))
    return answer
  }

  return {
    get: (path, asked = {}) => ask('GET', path, asked),
    post: (path, asked = {}) => ask('POST', path, asked),
    async poll(path, isDone, { everyMs, limitMs } = PACE) {
      const began = elapsed()
      for (let times = 1; ; times += 1) {
        const answer = await send('GET', path, {})
        if (isDone(answer.body) || elapsed() - began > limitMs) {
          note({ ...exchangeOf('GET', path, {}, answer), times })
          return answer
        }
        await sleep(everyMs, undefined, { signal })
      }
    },
    carry(token) {
      authorization = { authorization: `Bearer ${token}` }
    },
  }
}

function exchangeOf(method: string, path: string, asked: Asked, answer: Answer): Exchange {
  const { body, key } = asked
  return {
    method,
    path: decodeURIComponent(path),
    ...(key !== undefined && { key }),
    request: body instanceof URLSearchParams ? body.toString() : body,
    status: answer.status,
    answer: answer.body ?? answer.text,
    times: 1,
  }
}

function queryOf(query: Asked['query']): string {
  if (query === undefined) return ''
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) parameters.set(name, `${value}`)
  return `?${parameters.toString()}`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
