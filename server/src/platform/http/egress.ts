import { Resolver } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import { Agent, type Dispatcher, errors, request } from 'undici'
import { type EgressRules, createAddressRule } from './egress-addresses.ts'

/**
 * The one way out to addresses that a tenant or an app has chosen. It reaches public addresses only,
 * over https, follows no redirect, and ends every exchange that is slow or long. What it tells of a
 * failure is a class: the words of an error would draw a map of our own network.
 */
export interface Egress {
  /** Throws `EgressFailed`. */
  send(asked: EgressRequest): Promise<EgressAnswer>
  close(): Promise<void>
}

export interface EgressRequest {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

export interface EgressAnswer {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly body: Buffer
}

export type EgressFault = 'blocked' | 'dns' | 'refused' | 'timeout' | 'tls' | 'too_long' | 'broken'

export class EgressFailed extends Error {
  readonly fault: EgressFault

  constructor(fault: EgressFault, cause?: unknown) {
    super(`the address could not be asked: ${fault}`, { cause })
    this.name = 'EgressFailed'
    this.fault = fault
  }
}

const CONNECT_MS = 5_000
const ANSWER_MS = 15_000
const TOTAL_MS = 20_000
const MAX_ANSWER_BYTES = 65_536
const DNS = { timeout: 2_000, tries: 2 }
const PORTS: ReadonlySet<string> = new Set(['', '443', '8443'])

export function openEgress(rules: EgressRules): Egress {
  const mayReach = createAddressRule(rules)
  const resolver = new Resolver(DNS)
  const agent = new Agent({
    connect: { lookup, timeout: CONNECT_MS },
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
    allowH2: false,
  })

  // Every address that is connected to is looked at, at each connection: a name may change its mind.
  const vet = callbackify(async (host: string) => {
    const found = await addressesOf(host)
    if (found.length === 0) throw new EgressFailed('dns')
    if (!found.every(({ address }) => mayReach(address))) throw new EgressFailed('blocked')
    return found
  })

  function lookup(...[host, options, done]: Parameters<LookupFunction>): void {
    vet(host, (error, found) => {
      const [first] = found ?? []
      if (error !== null || first === undefined) return done(error, '')
      if (options.all === true) done(null, found)
      else done(null, first.address, first.family)
    })
  }

  async function addressesOf(host: string) {
    if (host === 'localhost') return [{ address: '127.0.0.1', family: 4 }]
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    return [
      ...(four.status === 'fulfilled' ? four.value : []).map((address) => ({ address, family: 4 })),
      ...(six.status === 'fulfilled' ? six.value : []).map((address) => ({ address, family: 6 })),
    ]
  }

  // A connection to a literal address asks no name, so `lookup` never sees it.
  function target(text: string): URL {
    const url = URL.parse(text)
    if (url === null || url.username !== '' || url.password !== '')
      throw new EgressFailed('blocked')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const isOwn = rules.loopback && (host === 'localhost' || isLoopback(host))
    if (!isOwn && (url.protocol !== 'https:' || !PORTS.has(url.port))) {
      throw new EgressFailed('blocked')
    }
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new EgressFailed('blocked')
    if (isIP(host) !== 0 && !mayReach(host)) throw new EgressFailed('blocked')
    return url
  }

  return {
    async send({ url, method, headers, body, signal }) {
      const to = target(url)
      const deadline = AbortSignal.timeout(TOTAL_MS)
      try {
        const answer = await request(to, {
          dispatcher: agent,
          method,
          signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
          ...(headers !== undefined && { headers }),
          ...(body !== undefined && { body }),
        })
        const bytes = Buffer.from(await answer.body.arrayBuffer())
        return { status: answer.statusCode, headers: answer.headers, body: bytes }
      } catch (error) {
        throw error instanceof EgressFailed ? error : new EgressFailed(faultOf(error), error)
      }
    },
    close: () => agent.destroy(),
  }
}

/** The same as a `fetch` of GET, for libraries that want one. Redirects come back as they are. */
export function fetchThrough(egress: Egress): typeof fetch {
  return async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input)
    const { status, headers, body } = await egress.send({
      url,
      method: 'GET',
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(init.signal && { signal: init.signal }),
    })
    const pairs = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    )
    const hasBody = status !== 204 && status !== 304
    return new Response(hasBody ? new Uint8Array(body) : null, { status, headers: pairs })
  }
}

function isLoopback(host: string): boolean {
  return host === '::1' || /^127(\.\d+){3}$/.test(host)
}

function faultOf(error: unknown): EgressFault {
  if (error instanceof errors.ResponseExceededMaxSizeError) return 'too_long'
  const { name, code } = error as { name?: string; code?: string }
  if (name === 'TimeoutError' || name === 'AbortError' || code?.includes('TIMEOUT'))
    return 'timeout'
  if (code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'refused'
  if (code?.startsWith('ERR_TLS') || code?.includes('CERT') || code?.includes('SSL')) return 'tls'
  return 'broken'
}
