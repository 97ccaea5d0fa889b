/** What a client must know of an answer: the little that a load generator can afford to read. */
export interface AnswerHead {
  readonly status: number
  /** Where the body begins. */
  readonly bodyAt: number
  readonly bodyLength: number
  /** The server ends the connection behind this answer, as it does after 10,000. */
  readonly closing: boolean
}

const END = Buffer.from('\r\n\r\n')
const LENGTH = Buffer.from('\r\ncontent-length: ')
const LENGTH_BY_KOA = Buffer.from('\r\nContent-Length: ') // of the same size
const CLOSING = Buffer.from('\r\nConnection: close')

/** Undefined unless the bytes begin with a whole head that names its length, written as Node does. */
export function readHead(bytes: Buffer): AnswerHead | undefined {
  const end = bytes.indexOf(END)
  const found = bytes.indexOf(LENGTH)
  const length = found < 0 ? bytes.indexOf(LENGTH_BY_KOA) : found
  if (end < 0 || length < 0 || length > end) return undefined
  const closing = bytes.indexOf(CLOSING)
  return {
    status: numberAt(bytes, 'HTTP/1.1 '.length),
    bodyAt: end + END.length,
    bodyLength: numberAt(bytes, length + LENGTH.length),
    closing: closing >= 0 && closing < end,
  }
}

function numberAt(bytes: Buffer, from: number): number {
  let value = 0
  for (let at = from; ; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return value
    value = value * 10 + digit
  }
}
