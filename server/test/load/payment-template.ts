import { COUNTER_DIGITS, ID_LENGTH, type RequestTemplate } from './load.ts'

const ACCOUNT = 'acc_'.padEnd(ID_LENGTH, '0')
const COUNTER = '0'.repeat(COUNTER_DIGITS)

export interface Target {
  readonly port: number
  readonly token: string
  /** Leads the idempotency keys of one load: unique, without digits at its end. */
  readonly keyPrefix: string
}

/** A request whose body is asked for with placeholders of the right width. */
export function template(path: string, body: unknown, target: Target): RequestTemplate {
  const { port, token, keyPrefix } = target
  const content = JSON.stringify(body)
  const key = keyPrefix + COUNTER
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(content)}`,
    `Idempotency-Key: ${key}`,
    '\r\n',
  ].join('\r\n')
  const text = head + content
  const keyAt = head.indexOf(key)
  const accounts = [...text.matchAll(new RegExp(ACCOUNT, 'g'))].map(({ index }) => index)
  const accountsAt = accounts.flatMap((at, index) =>
    index % 2 === 0 ? [[at, accounts[index + 1] as number] as const] : [],
  )
  return {
    text,
    keyAt,
    keyLength: key.length,
    counterAt: keyAt + keyPrefix.length,
    accountsAt,
  }
}

export function bookPayment(target: Target): RequestTemplate {
  const body = {
    amount: 125,
    currency: 'EUR',
    payment_method: { type: 'book' },
    source: { account_id: ACCOUNT },
    recipient: { type: 'account', account_id: ACCOUNT },
    description: 'Invoice 4711',
  }
  return template('/payments', body, target)
}
