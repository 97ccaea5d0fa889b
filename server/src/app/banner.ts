import { join, relative } from 'node:path'
import { styleText } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import type { Settings } from '../platform/config/settings.ts'
import type { MigrationReport } from '../platform/db/migrate.ts'
import { CREDENTIALS_FILE } from './credentials.ts'
import type { SampleData } from './sample-data.ts'

export interface Ready {
  readonly settings: Settings
  /** Where the command was typed: paths are shown from there. */
  readonly directory: string
  readonly database: string
  readonly migrations: MigrationReport & { readonly ms: number }
  readonly sample: SampleData
  readonly readyMs: number
}

/** What a start prints: 20 lines at most, and no secret. */
export function banner(ready: Ready, colour: boolean): string {
  const { settings, directory, database, migrations, sample, readyMs } = ready
  const { port, gatewayPort, issuer, dataDir } = settings
  const here = (path: string) => shown(path, directory)
  const ok = `${paint('ok', 'green', colour)} `
  const bold = (text: string) => paint(text, 'bold', colour)
  const seeded = sample.credentials !== undefined
  const credentials = join(dataDir, CREDENTIALS_FILE)
  const lines = [
    `${bold(`Countinghouse ${packageJson.version}`)}    ${seeded ? 'sandbox - sample data - not for production' : ''}`,
    [
      `${ok}Node ${process.versions.node}`,
      `${ok}${database}`,
      `${ok}${migrations.total} migrations ${migrations.applied.length > 0 ? `(${(migrations.ms / 1000).toFixed(1)} s)` : '(up to date)'}`,
      ...(seeded ? [`${ok}sample data (${sample.state})`] : []),
    ].join('   '),
    `API          http://127.0.0.1:${port}   reference  ${issuer}/docs/`,
    ...(seeded ? [`Gateway      http://127.0.0.1:${gatewayPort}   sandbox acquirer`] : []),
    ...(seeded
      ? [`Credentials  ${here(credentials)} (mode 600)`, ...firstPayment(issuer, credentials)]
      : []),
    ...sample.notes.map((note) => `${paint('Note', 'yellow', colour)}         ${note}`),
    `Ctrl-C stops.  Log: ${here(join(dataDir, 'server.log'))}`,
    `ready in ${Math.round(readyMs)} ms`,
  ]
  return `${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`
}

/** Two lines to paste, from a token to a completed payment. They read the secret; none shows it. */
function firstPayment(issuer: string, credentials: string): string[] {
  if (!/^[\w./ @+-]+$/.test(credentials)) return [] // would need quoting that differs by shell
  const client = `const {client_id,client_secret}=require('${credentials}').clients.backoffice;client_id+':'+client_secret`
  const token = `JSON.parse(require('fs').readFileSync(0)).access_token`
  const payment =
    '{"amount":1250,"currency":"EUR","payment_method":{"type":"card","card":{"token":"tok_visa"}}}'
  return [
    `Try          TOKEN=$(curl -s -u "$(node -p "${client}")" -d grant_type=client_credentials ${issuer}/oauth/token | node -p "${token}")`,
    `             curl -s ${issuer}/payments -H "authorization: Bearer $TOKEN" -H "idempotency-key: try-$(date +%s)" -H 'prefer: wait=10' -H 'content-type: application/json' -d '${payment}'`,
  ]
}

/** One line for a program that waits for us. */
export function readyLine({ settings, sample, readyMs }: Ready): string {
  return `${JSON.stringify({
    ready: true,
    base_url: settings.issuer,
    credentials: sample.credentials && join(settings.dataDir, CREDENTIALS_FILE),
    gateway: sample.credentials?.gateway.base_url,
    sample_data: sample.state,
    notes: sample.notes,
    ready_ms: Math.round(readyMs),
  })}\n`
}

/** A path as one would type it in `directory`. */
export function shown(path: string, directory: string): string {
  const there = relative(directory, path)
  return there === '' || there.startsWith('..') ? path : `./${there}`
}

function paint(text: string, style: 'green' | 'yellow' | 'bold', colour: boolean): string {
  return colour ? styleText(style, text, { validateStream: false }) : text
}
