import { type Socket, connect } from 'node:net'
import { readHead } from './answer-head.ts'
import { ID_LENGTH, type RequestTemplate } from './load.ts'
import type { LoadRecord } from './load-record.ts'

const ID = Buffer.from('{"id":"')
const NO_ID = Buffer.from('-')
// One for all connections: what was read is dealt with before the next read.
const received = Buffer.allocUnsafe(64 * 1024)
const RECONNECT_MS = 100
const BLANK = 0x20
const NEWLINE = 0x0a

/**
 * One keep-alive connection with one request on its way at a time. It shares the cores with what it
 * measures, so it does nothing it need not: one write and one read per request, no parsing beyond
 * status, length and the id that is to be journalled.
 */
export class SendingConnection {
  readonly #port: number
  readonly #template: RequestTemplate
  readonly #fill: (request: Buffer) => void
  readonly #record: LoadRecord
  readonly #request: Buffer
  #socket: Socket | undefined
  #sentAt = 0
  #busy = false
  #sending = false
  #status = 0
  #closing = false
  /** Bytes of the body still to come; -1 while waiting for the head. */
  #left = -1
  #finished: (() => void) | undefined

  /** `fill` writes what differs from request to request into its bytes. */
  constructor(
    port: number,
    template: RequestTemplate,
    { fill, record }: { fill: (request: Buffer) => void; record: LoadRecord },
  ) {
    this.#port = port
    this.#template = template
    this.#fill = fill
    this.#record = record
    this.#request = Buffer.from(template.text, 'latin1')
    this.#open()
  }

  isFree(): boolean {
    return !this.#busy && this.#socket !== undefined
  }

  /** Sends one request; its wait is counted from `since` (milliseconds of `performance.now`). */
  send(since: number): void {
    this.#busy = true
    this.#sentAt = since
    this.#left = -1
    this.#fill(this.#request)
    this.#record.sent()
    this.#socket?.write(this.#request)
  }

  /** Sends, and sends again whenever it is answered. */
  keepSending(): void {
    this.#sending = true
    this.send(performance.now())
  }

  /** Resolves when the last answer is in and the socket closed. */
  finish(): Promise<void> {
    this.#sending = false
    return new Promise((resolve) => {
      this.#finished = resolve
      if (this.#socket === undefined) resolve()
      else if (!this.#busy) this.#socket.destroy()
    })
  }

  #open(): void {
    const callback = (length: number) => this.#hear(received.subarray(0, length))
    const onread = { buffer: received, callback }
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true, onread })
    socket.on('error', (error) => this.#record.problem(String(error)))
    socket.on('close', () => this.#closed())
    this.#socket = socket
  }

  #closed(): void {
    this.#socket = undefined
    const wasLost = this.#busy
    if (wasLost) this.#record.lost()
    this.#busy = false
    if (wasLost) setTimeout(() => this.#resume(), RECONNECT_MS)
    else this.#resume()
  }

  #resume(): void {
    if (this.#finished !== undefined) return this.#finished()
    this.#open()
    if (this.#sending) this.send(performance.now())
  }

  #hear(bytes: Buffer): boolean {
    // Unasked, at the end of a connection that has been idle for long: the close says the rest.
    if (!this.#busy) return true
    if (this.#left < 0) this.#hearHead(bytes)
    else this.#left -= bytes.length
    if (this.#left > 0) return true
    const now = performance.now()
    this.#busy = false
    this.#record.answered(this.#status, now - this.#sentAt)
    if (this.#closing || this.#finished !== undefined) this.#socket?.destroy()
    else if (this.#sending) this.send(now)
    return true
  }

  // A head arrives whole: the server writes it at once, and it is small.
  #hearHead(bytes: Buffer): void {
    const head = readHead(bytes)
    if (head === undefined) {
      this.#record.problem(`not an answer: ${bytes.toString('latin1', 0, 400)}`)
      this.#left = 1 // keeps it unanswered, so that the close counts it as lost
      this.#socket?.destroy()
      return
    }
    const { status, bodyAt, bodyLength, closing } = head
    this.#status = status
    this.#closing = closing
    this.#left = bodyLength - (bytes.length - bodyAt)
    if (status < 300) this.#acknowledge(bytes, bodyAt)
    else this.#record.problem(`${status} ${bytes.toString('utf8', bodyAt, bodyAt + 800)}`)
  }

  #acknowledge(bytes: Buffer, bodyAt: number): void {
    const { keyAt, keyLength, answersId } = this.#template
    this.#record.journal(this.#request, keyAt, keyAt + keyLength, BLANK)
    const hasId = answersId && bytes.compare(ID, 0, ID.length, bodyAt, bodyAt + ID.length) === 0
    if (!hasId) return this.#record.journal(NO_ID, 0, 1, NEWLINE)
    const id = bodyAt + ID.length
    this.#record.journal(bytes, id, id + ID_LENGTH, NEWLINE)
  }
}
