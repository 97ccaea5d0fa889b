import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { newId, publicId } from '../ids.ts'
import { refuse } from './http.errors.ts'
import { PROBLEM_TYPE, renderProblem } from './problem.ts'

/** What Node's HTTP parser refuses never becomes a request; it is answered on the bare socket. */
export function answerMalformed(issuer: string, clock: Clock) {
  return function onClientError(error: Error & { code?: string }, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const code = CODES[error.code ?? ''] ?? 'invalid_http'
    const id = publicId('req', newId(clock.now()))
    const { refusal } = refuse(code)
    const body = renderProblem(issuer, refusal, { id, url: '', headers: {} })
    socket.end(
      [
        `HTTP/1.1 ${refusal.status} ${STATUS_TEXT[code]}`,
        `Content-Type: ${PROBLEM_TYPE}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        `Request-Id: ${id}`,
        'Cache-Control: no-store',
        'X-Content-Type-Options: nosniff',
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    )
  }
}

type Code = 'invalid_http' | 'headers_too_large' | 'request_timeout'

const CODES: Readonly<Record<string, Code>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

const STATUS_TEXT: Readonly<Record<Code, string>> = {
  invalid_http: 'Bad Request',
  headers_too_large: 'Request Header Fields Too Large',
  request_timeout: 'Request Timeout',
}
