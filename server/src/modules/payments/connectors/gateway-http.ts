import { buildConnector, Pool, type Dispatcher } from 'undici'

/**
 * One HTTP exchange with a gateway, told by what it proves. undici neither retries a POST nor
 * follows a redirect; both would hide a second send.
 */
export type HttpExchange =
  /** No byte of the request left: name not found, refused, unreachable, TLS not agreed. */
  | { readonly kind: 'not_connected'; readonly cause: string }
  /** It may have left; the answer did not come, or not all of it. */
  | { readonly kind: 'no_answer'; readonly cause: string }
  | {
      readonly kind: 'answered'
      readonly status: number
      /** The parsed JSON, or undefined when it was not JSON. */
      readonly body: unknown
      readonly retryAfterMs?: number
    }

export interface GatewayHttp {
  exchange(request: {
    method: 'GET' | 'POST'
    path: string
    query?: Record<string, string>
    body?: unknown
    signal: AbortSignal
  }): Promise<HttpExchange>
  close(): Promise<void>
}

const CONNECTIONS = 64 // the most the payments module has in flight at one gateway: none waits here
const CONNECT_TIMEOUT_MS = 5000
const MAX_ANSWER_BYTES = 262_144

export function openGatewayHttp(baseUrl: string): GatewayHttp {
  const { origin, pathname } = new URL(baseUrl)
  const prefix = pathname.replace(/\/$/, '')
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    connect: connectOrProve,
    // The caller's signal is the one clock of the wait for an answer.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_ANSWER_BYTES,
    allowH2: false,
  })
  return {
    async exchange({ method, path, query, body, signal }) {
      try {
        const answer = await pool.request({
          method,
          path: prefix + path,
          signal,
          ...(query && { query }),
          ...(body !== undefined && {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
        })
        return await readAnswer(answer)
      } catch (error) {
        return error instanceof NotConnected
          ? { kind: 'not_connected', cause: error.message }
          : { kind: 'no_answer', cause: causeOf(error) }
      }
    },
    close: () => pool.destroy(),
  }
}

/** Thrown for whatever goes wrong before the connection stands: the request is still ours alone. */
class NotConnected extends Error {}

const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false })

function connectOrProve(...[options, done]: Parameters<typeof connect>): void {
  connect(options, (error, socket) => {
    if (error === null) done(null, socket)
    else done(new NotConnected(causeOf(error), { cause: error }), null)
  })
}

async function readAnswer(answer: Dispatcher.ResponseData): Promise<HttpExchange> {
  const text = await answer.body.text()
  const seconds = Number(answer.headers['retry-after'] ?? Number.NaN)
  return {
    kind: 'answered',
    status: answer.statusCode,
    body: parseJson(text),
    ...(seconds >= 0 && { retryAfterMs: Math.round(seconds * 1000) }),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A stable word where there is one (`ECONNREFUSED`, `UND_ERR_SOCKET`, `TimeoutError`). */
function causeOf(error: unknown): string {
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string }
  if (typeof code === 'string') return code
  return name !== undefined && name !== 'Error' ? name : (message ?? String(error))
}
