import { type Socket, connect } from 'node:net'
import { ID_LENGTH, type RequestTemplate } from './load.ts'
import type { LoadRecord } from './load-record.ts'

/**
 * One keep-alive connection with one request on its way at a time. It shares the cores with what it
 * measures, so it does nothing it need not: one write and one read per request, no parsing beyond
 * status, length and the id that is to be journalled.
 */
export interface SendingConnection {
  isFree(): boolean
  /** Sends one request; its wait is counted from `since` (milliseconds of `performance.now`). */
  send(since: number): void
  /** Sends, and sends again whenever it is answered. */
  keepSending(): void
  /** Resolves when the last answer is in and the socket closed. */
  finish(): Promise<void>
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const LENGTH = Buffer.from('\r\ncontent-length: ')
const CLOSING = Buffer.from('onnection: close') // the server ends a connection after 10,000 requests
const ID = Buffer.from('{"id":"')
const READ_BYTES = 256 * 1024
const RECONNECT_MS = 100
const BLANK = 0x20
const NEWLINE = 0x0a
const NO_ID = Buffer.from('-')

export function openConnection(
  port: number,
  template: RequestTemplate,
  { fill, record }: { fill: (request: Buffer) => void; record: LoadRecord },
): SendingConnection {
  const request = Buffer.from(template.text, 'latin1')
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  let socket: Socket | undefined
  let sentAt = 0
  let busy = false
  let sending = false
  let status = 0
  let left = -1 // bytes of the body still to come; -1 while waiting for the head
  let closing = false
  let finished: (() => void) | undefined
  open()

  function open(): void {
    const opened = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer, callback: (length) => hear(buffer.subarray(0, length)) },
    })
    opened.on('error', (error) => record.problem(String(error)))
    opened.on('close', closed)
    socket = opened
  }

  function closed(): void {
    socket = undefined
    const wasLost = busy
    if (wasLost) record.lost()
    busy = false
    if (finished !== undefined) finished()
    else if (wasLost) setTimeout(resume, RECONNECT_MS)
    else resume()
  }

  function resume(): void {
    if (finished !== undefined) return finished()
    open()
    if (sending) send(performance.now())
  }

  function send(since: number): void {
    busy = true
    sentAt = since
    left = -1
    fill(request)
    record.sent()
    socket?.write(request)
  }

  function hear(bytes: Buffer): boolean {
    if (left >= 0) left -= bytes.length
    else hearHead(bytes)
    if (left > 0 || !busy) return true
    busy = false
    record.answered(status, performance.now() - sentAt)
    if (closing || finished !== undefined) socket?.destroy()
    else if (sending) send(performance.now())
    return true
  }

  // A head arrives whole: the server writes it at once, and it is small.
  function hearHead(bytes: Buffer): void {
    const headEnd = bytes.indexOf(END_OF_HEAD)
    const length = bytes.indexOf(LENGTH)
    if (headEnd < 0 || length < 0 || length > headEnd) {
      record.problem(`an answer without its length: ${bytes.toString('latin1', 0, 400)}`)
      socket?.destroy()
      return
    }
    status = digits(bytes, 'HTTP/1.1 '.length)
    const start = headEnd + END_OF_HEAD.length
    left = digits(bytes, length + LENGTH.length) - (bytes.length - start)
    const close = bytes.indexOf(CLOSING)
    closing = close >= 0 && close < headEnd
    if (status < 300) acknowledge(bytes, start)
    else record.problem(`${status} ${bytes.toString('utf8', start, start + 800)}`)
  }

  function acknowledge(bytes: Buffer, start: number): void {
    const { keyAt, keyLength, answersId } = template
    record.journal(request, keyAt, keyAt + keyLength, BLANK)
    const id = answersId ? bytes.indexOf(ID, start) + ID.length : 0
    if (id < ID.length) record.journal(NO_ID, 0, 1, NEWLINE)
    else record.journal(bytes, id, id + ID_LENGTH, NEWLINE)
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
