import { resolve } from 'node:path'
import ip from 'ipaddr.js'

/**
 * The settings of a process. Each is an environment variable and, unless it is a secret, a flag; the
 * flag wins. They are read once, at the start, and everything wrong is said then.
 */
export interface Settings {
  /** Of API and authorization server. */
  readonly port: number
  readonly gatewayPort: number
  /** Absolute. */
  readonly dataDir: string
  /** Undefined: the embedded PostgreSQL of the data directory. */
  readonly databaseUrl: string | undefined
  /** Public origin, without a trailing slash. */
  readonly issuer: string
  /** Base64 of 32 bytes, as given. */
  readonly rootKey: string | undefined
  /** Networks of our own that addresses of tenants may lead to. CIDR. */
  readonly egressAllow: readonly string[]
  /** How long access tokens live: 1 to 900. */
  readonly accessTokenSeconds: number
  readonly verbose: boolean
  readonly json: boolean
  /** Sample clients and accounts may be made: nobody outside this machine can reach them. */
  readonly mayHoldSamples: boolean
}

/** Flags as the command line parsed them. */
export interface Flags {
  readonly port?: string
  readonly gatewayPort?: string
  readonly data?: string
  readonly databaseUrl?: string
  readonly issuer?: string
  readonly accessTokenSeconds?: string
  readonly verbose?: boolean
  readonly json?: boolean
}

/** Where the values come from. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The directory in which the command was typed. */
  readonly directory: string
}

/** A value that cannot be used. The message names the setting, what is wrong and what would be right. */
export class SettingError extends Error {
  constructor(setting: string, fault: string) {
    super(`${setting} ${fault}`)
    this.name = 'SettingError'
  }
}

const DEFAULT_PORT = 4000
const GATEWAY_OFFSET = 10

/** @throws SettingError for the first setting that cannot be used. */
export function readSettings(flags: Flags, { env, directory }: Surroundings): Settings {
  const given = (name: string, flag: string, value: string | undefined): Given | undefined => {
    if (value !== undefined) return { from: flag, text: value.trim() }
    const text = env[name]?.trim()
    return text === undefined || text === '' ? undefined : { from: name, text }
  }
  const port = portOf(given('COUNTINGHOUSE_PORT', '--port', flags.port)) ?? DEFAULT_PORT
  const gateway = given('COUNTINGHOUSE_GATEWAY_PORT', '--gateway-port', flags.gatewayPort)
  const gatewayPort = portOf(gateway) ?? port + GATEWAY_OFFSET
  if (gatewayPort === port) {
    throw new SettingError(gateway?.from ?? '', `is ${port}, which is the port of the API`)
  }
  if (gatewayPort > MAX_PORT) {
    throw new SettingError('COUNTINGHOUSE_GATEWAY_PORT', `is needed: ${gatewayPort} is no port`)
  }
  const data = given('COUNTINGHOUSE_DATA', '--data', flags.data)
  if (data?.text === '') throw new SettingError('--data', 'is empty: name a directory')
  const issuer =
    issuerOf(given('COUNTINGHOUSE_ISSUER', '--issuer', flags.issuer)) ?? `http://127.0.0.1:${port}`
  return {
    port,
    gatewayPort,
    dataDir: resolve(directory, data?.text ?? '.countinghouse'),
    databaseUrl: databaseUrlOf(given('DATABASE_URL', '--database-url', flags.databaseUrl)),
    issuer,
    rootKey: given('COUNTINGHOUSE_ROOT_KEY', '', undefined)?.text,
    accessTokenSeconds: secondsOf(
      given(
        'COUNTINGHOUSE_ACCESS_TOKEN_SECONDS',
        '--access-token-seconds',
        flags.accessTokenSeconds,
      ),
    ),
    egressAllow: networksOf(given('COUNTINGHOUSE_EGRESS_ALLOW', '', undefined)),
    verbose: switchOf(flags.verbose, given('COUNTINGHOUSE_VERBOSE', '', undefined)),
    json: switchOf(flags.json, given('COUNTINGHOUSE_JSON', '', undefined)),
    mayHoldSamples: env['NODE_ENV'] !== 'production' && isLoopback(new URL(issuer)),
  }
}

interface Given {
  /** The variable or the flag, for messages. */
  readonly from: string
  readonly text: string
}

const MAX_PORT = 65_535

function portOf(given: Given | undefined): number | undefined {
  if (given === undefined) return undefined
  const port = Number(given.text)
  if (/^\d+$/.test(given.text) && port >= 1 && port <= MAX_PORT) return port
  throw new SettingError(given.from, `is "${given.text}": a port is a number from 1 to ${MAX_PORT}`)
}

// Longer is no choice: revocations are kept for as long as a token can live, and no longer.
const MAX_TOKEN_SECONDS = 900

function secondsOf(given: Given | undefined): number {
  if (given === undefined) return MAX_TOKEN_SECONDS
  const seconds = Number(given.text)
  if (/^\d+$/.test(given.text) && seconds >= 1 && seconds <= MAX_TOKEN_SECONDS) return seconds
  throw new SettingError(given.from, `is "${given.text}": 1 to ${MAX_TOKEN_SECONDS} seconds`)
}

function issuerOf(given: Given | undefined): string | undefined {
  if (given === undefined) return undefined
  const { from, text } = given
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new SettingError(from, `is "${text}": it must be an origin like https://pay.example.com`)
  }
  if (text !== url.origin && text !== `${url.origin}/`) {
    throw new SettingError(from, `is "${text}": leave only the origin, ${url.origin}`)
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new SettingError(from, `is "${text}": tokens travel there, so it must be https`)
  }
  return url.origin
}

/** Whether this is an address of the machine itself. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

// The value holds a password, so it is never repeated.
function databaseUrlOf(given: Given | undefined): string | undefined {
  if (given === undefined) return undefined
  const url = URL.parse(given.text)
  if (url !== null && ['postgres:', 'postgresql:'].includes(url.protocol)) return given.text
  const shape = 'postgres://user:password@host:5432/database'
  throw new SettingError(given.from, `is not of the form ${shape}`)
}

function networksOf(given: Given | undefined): string[] {
  const networks = given?.text.split(/[\s,]+/) ?? []
  const wrong = networks.find((network) => !ip.isValidCIDR(network))
  if (wrong === undefined) return networks
  throw new SettingError(given?.from ?? '', `names "${wrong}": a network is written 10.1.0.0/16`)
}

function switchOf(flag: boolean | undefined, given: Given | undefined): boolean {
  if (flag !== undefined || given === undefined) return flag ?? false
  if (/^(1|true|yes|on)$/i.test(given.text)) return true
  if (/^(0|false|no|off)$/i.test(given.text)) return false
  throw new SettingError(given.from, `is "${given.text}": use 1 or 0`)
}
