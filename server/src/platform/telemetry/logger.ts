import { renameSync, statSync } from 'node:fs'
import {
  type Logger,
  type SerializedError,
  destination,
  multistream,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from 'pino'

/** Values of these never reach a log, wherever in a record they stand. */
const SECRETS = [
  'authorization',
  'cookie',
  'password',
  'client_secret',
  'clientSecret',
  'access_token',
  'refresh_token',
  'number',
  'cvc',
]

const MAX_BYTES = 16 * 1024 * 1024 // then the file is set aside at the next start; one old one is kept

export type LogTarget =
  | { readonly file: string; readonly verbose: boolean }
  /** JSON lines for whoever runs the process. */
  | 'stdout'

/**
 * The log of a process. What is normal is not in it: a request that succeeds leaves no line. Written
 * at once, so that the last words of a crash are there.
 */
export function openLogger(target: LogTarget): Logger {
  const options = {
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    redact: {
      paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[redacted]',
    },
    serializers: { err: withoutConnection },
  }
  if (target === 'stdout') return pino(options, destination({ dest: 1, sync: true }))
  setAside(target.file)
  const file = destination({ dest: target.file, sync: true, mode: 0o600 })
  if (!target.verbose) return pino(options, file)
  return pino(options, multistream([file, destination({ dest: 2, sync: true })]))
}

/** A lost connection's error carries the client, and that every statement it has prepared. */
function withoutConnection(error: Error): object {
  const { client: _client, ...rest } = stdSerializers.err(error) as SerializedError & {
    client?: unknown
  }
  return rest
}

function setAside(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > MAX_BYTES) renameSync(file, `${file}.1`)
}
