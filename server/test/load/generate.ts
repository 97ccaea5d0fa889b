import { readFileSync } from 'node:fs'
import { pickAccounts } from './account-picker.ts'
import { answerParent } from './child.ts'
import { type Driver, answerWith } from './driver.ts'
import { COUNTER_DIGITS, type HttpLoad, ID_LENGTH, type RequestTemplate } from './load.ts'
import { openRecord } from './load-record.ts'
import { SendingConnection } from './sending-connection.ts'

/** The load generator: HTTP/1.1 over plain sockets, from requests that are ready but for key and accounts. */
export function run(): Promise<void> {
  answerParent(answerWith((load) => start(load as HttpLoad)))
  process.once('SIGTERM', () => process.exit(0))
  return Promise.resolve()
}

function start(load: HttpLoad): Driver {
  const { port, rate, requests } = load
  const record = openRecord(load.journalFile)
  const fillers = fillersOf(load)
  const connections = Array.from({ length: load.connections }, (_, index) => {
    const turn = index % requests.length
    const fill = fillers[turn] as (request: Buffer) => void
    return new SendingConnection(port, requests[turn] as RequestTemplate, { fill, record })
  })
  const pacer = rate === undefined ? undefined : pace(rate, connections)
  if (pacer === undefined) for (const connection of connections) connection.keepSending()
  return {
    mark: () => record.mark(),
    async stop() {
      pacer?.stop()
      await Promise.all(connections.map((connection) => connection.finish()))
      return record.close()
    },
  }
}

/** For each request: writes the next key and the next accounts into its bytes. */
function fillersOf({ requests, accountsFile, pick }: HttpLoad) {
  const accounts = readFileSync(accountsFile)
  const stride = ID_LENGTH + 1
  const picker = pickAccounts(Math.floor((accounts.length + 1) / stride), pick)
  let counter = 0
  function put(request: Buffer, at: number, account: number): void {
    accounts.copy(request, at, account * stride, account * stride + ID_LENGTH)
  }
  return requests.map(({ counterAt, accountsAt }) => (request: Buffer) => {
    counter += 1
    let rest = counter
    for (let at = counterAt + COUNTER_DIGITS - 1; rest > 0; at -= 1) {
      request[at] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    for (const { debit, credit } of accountsAt) {
      const credited = picker.credit()
      put(request, credit, credited)
      if (debit !== undefined) put(request, debit, picker.debit(credited))
    }
  })
}

/** Sends at a fixed rate. A request that finds no free connection waits, and its wait counts. */
function pace(rate: number, connections: readonly SendingConnection[]) {
  const interval = 1_000 / rate
  let due = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    for (const connection of connections) {
      if (due > now) return
      if (!connection.isFree()) continue
      connection.send(due)
      due += interval
    }
  }, 1)
  return { stop: () => clearInterval(timer) }
}
