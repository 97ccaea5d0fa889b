import { COUNTER_DIGITS, ID_LENGTH, type RequestTemplate } from './load.ts'

/** Where a load goes, and as whom. */
export interface Target {
  readonly port: number
  readonly token: string
  /** Leads the idempotency keys of one load, so that its rows can be counted afterwards. */
  readonly keyPrefix: string
}

const DEBIT = `acc_d${'_'.repeat(ID_LENGTH - 5)}`
const CREDIT = `acc_c${'_'.repeat(ID_LENGTH - 5)}`

export function bookPayment(target: Target): RequestTemplate {
  const body = {
    amount: 125,
    currency: 'EUR',
    payment_method: { type: 'book' },
    source: { account_id: DEBIT },
    recipient: { type: 'account', account_id: CREDIT },
    description: 'Invoice 4711',
  }
  return template('/payments', body, target)
}

/** Its answer is held until the payment is final. */
export function cardPayment(target: Target): RequestTemplate {
  const body = {
    amount: 125,
    currency: 'EUR',
    payment_method: { type: 'card', card: { token: 'tok_visa' } },
    recipient: { type: 'account', account_id: CREDIT },
    description: 'Invoice 4711',
  }
  return template('/payments', body, target, ['Prefer: wait=20'])
}

/** The transaction type of bulk items, by which they are counted. */
export const BULK_TYPE = 'bench_transfer'

export function transferBatch(target: Target, items: number): RequestTemplate {
  const entry = { amount: 125, currency: 'EUR' }
  const item = {
    type: BULK_TYPE,
    entries: [
      { account_id: DEBIT, direction: 'debit', ...entry },
      { account_id: CREDIT, direction: 'credit', ...entry },
    ],
  }
  const body = { transactions: Array.from({ length: items }, () => item) }
  return { ...template('/ledger/transaction_batches', body, target), answersId: false }
}

/** A client's token by its secret, the counter in a header that nobody reads. */
export function tokenRequest({
  port,
  keyPrefix,
  basic,
}: Pick<Target, 'port' | 'keyPrefix'> & { readonly basic: string }): RequestTemplate {
  const content = 'grant_type=client_credentials'
  const key = keyPrefix + '0'.repeat(COUNTER_DIGITS)
  const text = [
    'POST /oauth/token HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    `Authorization: Basic ${basic}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${content.length}`,
    `X-Request-Id: ${key}`,
    `\r\n${content}`,
  ].join('\r\n')
  const keyAt = text.indexOf(key)
  const counterAt = keyAt + keyPrefix.length
  return { text, keyAt, keyLength: key.length, counterAt, accountsAt: [], answersId: false }
}

function template(
  path: string,
  body: object,
  { port, token, keyPrefix }: Target,
  headers: readonly string[] = [],
): RequestTemplate {
  const content = JSON.stringify(body)
  const key = keyPrefix + '0'.repeat(COUNTER_DIGITS)
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(content)}`,
    ...headers,
    `Idempotency-Key: ${key}`,
    '\r\n',
  ].join('\r\n')
  const text = head + content
  const debits = placesOf(DEBIT, text)
  const accountsAt = placesOf(CREDIT, text).map((credit, index) => ({
    debit: debits[index],
    credit,
  }))
  const keyAt = head.indexOf(key)
  const counterAt = keyAt + keyPrefix.length
  return { text, keyAt, keyLength: key.length, counterAt, accountsAt, answersId: true }
}

function placesOf(placeholder: string, text: string): number[] {
  return [...text.matchAll(new RegExp(placeholder, 'g'))].map(({ index }) => index)
}
