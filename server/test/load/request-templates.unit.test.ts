import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COUNTER_DIGITS, ID_LENGTH, type RequestTemplate } from './load.ts'
import { bookPayment, cardPayment, transferBatch } from './request-templates.ts'

const target = { port: 4000, token: 'token', keyPrefix: 'book-64-1-' }

function filled({ text, accountsAt, counterAt }: RequestTemplate): { head: string; body: unknown } {
  const bytes = Buffer.from(text, 'latin1')
  bytes.write('7'.padStart(COUNTER_DIGITS, '0'), counterAt)
  for (const [index, { debit, credit }] of accountsAt.entries()) {
    if (debit !== undefined) bytes.write(`acc_from${index}-`.padEnd(ID_LENGTH, '0'), debit)
    bytes.write(`acc_to${index}-`.padEnd(ID_LENGTH, '0'), credit)
  }
  const [head = '', body = ''] = bytes.toString('latin1').split('\r\n\r\n')
  assert.match(head, new RegExp(`^Content-Length: ${body.length}$`, 'm'))
  return { head, body: JSON.parse(body) }
}

test('a book payment is filled with its key, its source and its recipient', () => {
  const { head, body } = filled(bookPayment(target))
  assert.match(head, /^Idempotency-Key: book-64-1-000000007$/m)
  assert.partialDeepStrictEqual(body, {
    source: { account_id: 'acc_from0-'.padEnd(ID_LENGTH, '0') },
    recipient: { account_id: 'acc_to0-'.padEnd(ID_LENGTH, '0') },
  })
})

test('a card payment has a recipient only, and waits for its end', () => {
  const { head, body } = filled(cardPayment(target))
  assert.match(head, /^Prefer: wait=/m)
  assert.partialDeepStrictEqual(body, {
    recipient: { account_id: 'acc_to0-'.padEnd(ID_LENGTH, '0') },
  })
})

test('each transfer of a bulk request is filled with accounts of its own', () => {
  const { body } = filled(transferBatch(target, 3))
  const { transactions } = body as { transactions: { entries: { account_id: string }[] }[] }
  assert.deepEqual(
    transactions.map(({ entries }) => entries.map((entry) => entry.account_id.split('-')[0])),
    [0, 1, 2].map((index) => [`acc_from${index}`, `acc_to${index}`]),
  )
})
