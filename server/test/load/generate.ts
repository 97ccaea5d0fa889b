import { readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { answerParent } from './child.ts'
import {
  COUNTER_DIGITS,
  ID_LENGTH,
  type Load,
  type Question,
  type RequestTemplate,
  type Totals,
  type Window,
} from './load.ts'

/**
 * The load generator: HTTP/1.1 over plain sockets, from requests that are ready but for the key and
 * the accounts, which are written in place. It shares the cores with what it measures, so it does
 * nothing it need not: one write and one read per request, no parsing beyond status and length.
 */
export function run(): Promise<void> {
  let running: Running | undefined
  answerParent(async (question: Question) => {
    if (question.kind === 'start') {
      running = start(question.load)
      return undefined
    }
    if (running === undefined) throw new Error('nothing runs')
    if (question.kind === 'mark') return running.mark()
    const totals = await running.stop()
    running = undefined
    return totals
  })
  process.once('SIGTERM', () => process.exit(0))
  return Promise.resolve()
}

interface Running {
  /** Answers what happened since the last mark. */
  mark(): Window
  stop(): Promise<Totals>
}

function start(load: Load): Running {
  const book = createBook(load)
  const fill = filler(load.request, load)
  const connections = Array.from({ length: load.connections }, () => open(load, fill, book))
  const pacer = load.rate === undefined ? undefined : pace(load.rate, connections)
  if (pacer === undefined) for (const connection of connections) connection.keepSending()
  return {
    mark: () => book.mark(),
    async stop() {
      pacer?.stop()
      await Promise.all(connections.map((connection) => connection.finish()))
      return book.close()
    },
  }
}

type Book = ReturnType<typeof createBook>

/** Everything the generator remembers. */
function createBook({ journalFile }: Load) {
  let latencies = new Uint32Array(1 << 16)
  let answered = 0
  let since = performance.now()
  let cpuSince = process.cpuUsage()
  const journal = growing()
  const statuses: Record<string, number> = {}
  const totals = { sent: 0, lost: 0, firstProblem: null as string | null }
  return {
    totals,
    answered(status: number, micros: number) {
      statuses[status] = (statuses[status] ?? 0) + 1
      if (answered === latencies.length) {
        const larger = new Uint32Array(latencies.length * 2)
        larger.set(latencies)
        latencies = larger
      }
      latencies[answered] = micros
      answered += 1
    },
    acknowledged(request: Buffer, template: RequestTemplate, answer: Buffer, idAt: number) {
      const { keyAt, keyLength } = template
      journal.add(request, keyAt, keyAt + keyLength, 0x20)
      journal.add(answer, idAt, idAt + ID_LENGTH, 0x0a)
    },
    mark(): Window {
      const cpu = process.cpuUsage(cpuSince)
      const now = performance.now()
      const sorted = latencies.slice(0, answered).sort()
      const at = (share: number) =>
        (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) / 1_000
      const window = {
        elapsedMs: now - since,
        answered,
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        max: at(1),
        cpuMicros: cpu.user + cpu.system,
      }
      answered = 0
      since = performance.now()
      cpuSince = process.cpuUsage()
      return window
    },
    close(): Totals {
      writeFileSync(journalFile, journal.bytes())
      return { ...totals, statuses }
    },
  }
}

function growing() {
  let buffer = Buffer.allocUnsafe(1 << 20)
  let used = 0
  return {
    add(from: Buffer, start: number, end: number, then: number) {
      if (used + (end - start) + 1 > buffer.length) {
        buffer = Buffer.concat([buffer], buffer.length * 2)
      }
      used += from.copy(buffer, used, start, end)
      buffer[used] = then
      used += 1
    },
    bytes: () => buffer.subarray(0, used),
  }
}

/** Writes the next key and the next accounts into a request. */
function filler({ counterAt, accountsAt }: RequestTemplate, { accountsFile, pick }: Load) {
  const accounts = readFileSync(accountsFile)
  const count = Math.floor((accounts.length + 1) / (ID_LENGTH + 1))
  let counter = 0
  let seed = (process.pid * 2_654_435_761) >>> 0 || 1
  function random(below: number): number {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return (seed >>> 0) % below
  }
  function put(request: Buffer, at: number, account: number): void {
    const from = account * (ID_LENGTH + 1)
    accounts.copy(request, at, from, from + ID_LENGTH)
  }
  return (request: Buffer) => {
    counter += 1
    let rest = counter
    for (let at = counterAt + COUNTER_DIGITS - 1; rest > 0; at -= 1) {
      request[at] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    for (const [debit, credit] of accountsAt) {
      const to = pick === 'hot' ? 0 : random(count)
      const from = (to + 1 + random(count - 1)) % count
      put(request, debit, from)
      put(request, credit, to)
    }
  }
}

interface SendingConnection {
  readonly isFree: () => boolean
  /** Sends one request; its wait is counted from `since`. */
  send(since: number): void
  keepSending(): void
  /** Resolves when the last answer is in and the socket closed. */
  finish(): Promise<void>
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const LENGTH = Buffer.from('\r\ncontent-length: ')
const CLOSING = Buffer.from('onnection: close')
const ID = Buffer.from('{"id":"')
const READ_BYTES = 256 * 1024

function open(load: Load, fill: (request: Buffer) => void, book: Book): SendingConnection {
  const request = Buffer.from(load.request.text, 'latin1')
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  let socket: Socket | undefined
  let sentAt = 0
  let busy = false
  let status = 0
  let left = -1 // bytes of the body still to come; -1 while waiting for the head
  let closing = false
  let sending = false
  let finished: (() => void) | undefined
  reconnect()

  function reconnect(): void {
    const mine = connect({
      host: '127.0.0.1',
      port: load.port,
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          read(buffer.subarray(0, length))
          return true
        },
      },
    })
    // Whatever was in flight is lost: it may or may not have been done.
    mine.on('error', (error) => note(String(error)))
    mine.on('close', () => {
      if (socket !== mine) return
      socket = undefined
      if (busy) {
        busy = false
        book.totals.lost += 1
      }
      if (finished !== undefined) return finished()
      reconnect()
      if (sending) send(performance.now())
    })
    socket = mine
  }

  function note(problem: string): void {
    book.totals.firstProblem ??= problem
  }

  function send(since: number): void {
    busy = true
    sentAt = since
    left = -1
    fill(request)
    book.totals.sent += 1
    socket?.write(request)
  }

  function read(bytes: Buffer): void {
    if (left >= 0) {
      left -= bytes.length
    } else {
      // A head arrives whole: the server writes it at once, and it is small.
      const head = bytes.indexOf(END_OF_HEAD)
      const lengthAt = bytes.indexOf(LENGTH) + LENGTH.length
      if (head < 0 || lengthAt < LENGTH.length || lengthAt > head) {
        note(`an answer without its length: ${bytes.toString('latin1', 0, 400)}`)
        socket?.destroy()
        return
      }
      status = digits(bytes, 9)
      const start = head + END_OF_HEAD.length
      left = digits(bytes, lengthAt) - (bytes.length - start)
      const close = bytes.indexOf(CLOSING)
      closing = close >= 0 && close < head
      if (status < 300) {
        const id = bytes.indexOf(ID, start)
        if (id >= 0) book.acknowledged(request, load.request, bytes, id + ID.length)
        else note(`an answer without an id: ${bytes.toString('latin1', start, start + 400)}`)
      } else note(bytes.toString('utf8', start, start + 800))
    }
    if (left > 0) return
    busy = false
    book.answered(status, (performance.now() - sentAt) * 1_000)
    if (closing || finished !== undefined) socket?.destroy()
    else if (sending) send(performance.now())
  }

  return {
    isFree: () => !busy && socket !== undefined,
    send,
    keepSending() {
      sending = true
      send(performance.now())
    },
    finish() {
      sending = false
      return new Promise((resolve) => {
        finished = resolve
        if (socket === undefined) resolve()
        else if (!busy) socket.destroy()
      })
    },
  }
}

function digits(bytes: Buffer, from: number): number {
  let value = 0
  for (let at = from; ; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return value
    value = value * 10 + digit
  }
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
