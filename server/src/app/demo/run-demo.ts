import { wantsColour } from '../../platform/config/environment.ts'
import type { Settings } from '../../platform/config/settings.ts'
import { StartError } from '../../platform/start-error.ts'
import { type DemoServer, findServer } from './find-server.ts'
import { startOwnServer } from './own-server.ts'
import { jsonReport, textReport } from './report.ts'
import { runSteps } from './run-steps.ts'
import { steps } from './steps.ts'

/**
 * Walks through the work of a back office, over HTTP, and checks every result: on the server that
 * runs on the data directory, or else on one that is started for it and leaves nothing behind.
 * @throws StartError when something is not as it should be.
 */
export async function runDemo(settings: Settings, out: NodeJS.WriteStream): Promise<void> {
  const { json, dataDir } = settings
  const write = (text: string) => void out.write(text)
  const say = json ? () => undefined : write
  const reporter = json ? jsonReport(write) : textReport(write, wantsColour(out))
  const stopped = abortOnSignal()
  await using running = new AsyncDisposableStack()

  let server: DemoServer | undefined = await findServer(dataDir)
  if (server === undefined) {
    say(`No server of ${dataDir} is ready: starting one for this run.\n`)
    const own = await startOwnServer(stopped)
    running.defer(() => own.stop())
    server = own
  }
  const { credentials, note } = server
  say(`Server ${credentials.base_url}, ${note}.\n`)
  const passed = await runSteps(steps, { credentials, reporter, signal: stopped })
  if (!passed) throw new StartError('The demo has failed: the last step above says why.')
}

/** Ctrl-C ends the step under way, and what we have started is stopped. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => controller.abort(new StartError(`Stopped by ${signal}.`)))
  }
  return controller.signal
}
