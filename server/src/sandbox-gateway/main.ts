import { parseArgs } from 'node:util'
import { startSandboxGateway } from './server.ts'

/**
 * node server/src/sandbox-gateway/main.ts --port 4010 --data DIR [--host 127.0.0.1] [--latency 5-25]
 * [--exit-with-parent]
 *
 * Ends with 0 on SIGTERM or SIGINT, with 1 when it cannot start, with 2 on a wrong flag.
 */
const usage =
  'usage: main.ts --port PORT --data DIR [--host HOST] [--latency MIN-MAX] [--exit-with-parent]'

interface Flags {
  port: number
  data: string
  host: string
  latency: [number, number]
  exitWithParent: boolean
}

const flags = readFlags()
if (flags === undefined) {
  process.stderr.write(`${usage}\n`)
  process.exitCode = 2
} else {
  await run(flags)
}

async function run({ port, host, data, latency, exitWithParent }: Flags): Promise<void> {
  const settings = { latency_ms: latency }
  process.stdout.on('error', () => undefined) // whoever read the log may be gone before us
  const starting = startSandboxGateway({ port, host, journalDir: data, settings, log })
  const stop = () => void starting.then((gateway) => gateway.close()).then(() => process.exit(0))
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  // A parent that was killed closes the pipe: without this the port stays taken by an orphan.
  if (exitWithParent) process.stdin.once('end', stop).once('error', stop).resume()
  try {
    await starting
  } catch (error) {
    process.stderr.write(`sandbox gateway: ${(error as Error).message}\n`)
    process.exit(1)
  }
}

function log(line: string): void {
  process.stdout.write(`${line}\n`)
}

function readFlags(): Flags | undefined {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string' },
        data: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        latency: { type: 'string', default: '5-25' },
        'exit-with-parent': { type: 'boolean', default: false },
      },
    })
    const [shortest = NaN, longest = shortest] = values.latency.split('-').map(Number)
    const port = Number(values.port)
    if (values.data === undefined || !Number.isInteger(port) || !(shortest <= longest)) {
      return undefined
    }
    return {
      port,
      data: values.data,
      host: values.host,
      latency: [shortest, longest],
      exitWithParent: values['exit-with-parent'],
    }
  } catch {
    return undefined
  }
}
