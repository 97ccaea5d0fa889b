import { wantsColour } from '../../platform/config/environment.ts'
import type { Settings } from '../../platform/config/settings.ts'
import { StartError } from '../../platform/start-error.ts'
import { type DemoServer, findServer } from './find-server.ts'
import { startOwnServer } from './own-server.ts'
import { jsonReport, textReport } from './report.ts'
import { runSteps } from './run-steps.ts'
import { bankingSteps } from './banking-steps.ts'
import { steps } from './steps.ts'

/**
 * Walks through the work of a back office, over HTTP, and checks every result: on the server that
 * runs on the data directory, or else on one that is started for it and leaves nothing behind.
 * @throws StartError when something is not as it should be.
 */
export async function runDemo(
  settings: Settings,
  out: NodeJS.WriteStream,
  tale: Tale = 'payments',
): Promise<void> {
  const { json, dataDir } = settings
  const write = (text: string) => void out.write(text)
  const say = json ? () => undefined : write
  const reporter = json ? jsonReport(write) : textReport(write, wantsColour(out))
  const stopped = abortOnSignal()
  await using running = new AsyncDisposableStack()

  const { isOnOwnServer, flags, acts } = tales[tale]
  let server: DemoServer | undefined = isOnOwnServer ? undefined : await findServer(dataDir)
  if (server === undefined) {
    say(isOnOwnServer ? OWN : `No server of ${dataDir} is ready: starting one for this run.\n`)
    const own = await startOwnServer(stopped, flags)
    running.defer(() => own.stop())
    server = own
  }
  const { credentials, note } = server
  say(`Server ${credentials.base_url}, ${note}.\n`)
  const passed = await runSteps(acts, { credentials, reporter, signal: stopped })
  if (!passed) throw new StartError('The demo has failed: the last step above says why.')
}

export type Tale = 'payments' | 'banking'

const tales = {
  payments: { isOnOwnServer: false, flags: [], acts: steps },
  // Nobody wants to wait 15 minutes to see a token expire.
  banking: { isOnOwnServer: true, flags: ['--access-token-seconds', '5'], acts: bankingSteps },
} as const

const OWN = 'Starting a server for this run, whose access tokens live 5 s instead of 15 min.\n'

/** Ctrl-C ends the step under way, and what we have started is stopped. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => controller.abort(new StartError(`Stopped by ${signal}.`)))
  }
  return controller.signal
}
