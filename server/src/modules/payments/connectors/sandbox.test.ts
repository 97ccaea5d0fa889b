import { testConnectorContract, type CannedReply } from './contract.ts'
import type { Operation } from './connector.ts'
import { sandboxConnector } from './sandbox.ts'

const operation: Operation = {
  operation: 'sale',
  amount: 12_500n,
  currency: 'EUR',
  instrument: { token: 'tok_visa' },
}

function answer({ key }: { key: string }, change: Record<string, unknown> = {}) {
  const body = {
    key,
    reference: 'sbx_1',
    operation: 'sale',
    status: 'succeeded',
    amount: 12_500,
    currency: 'EUR',
    ...change,
  }
  return { status: 200, body }
}

function error(status: number, word: string, headers: Record<string, string> = {}) {
  return (): CannedReply => ({ status, headers, body: { error: word } })
}

function declined(code: string, as = code, status = 'declined') {
  return {
    title: `${status} with ${code} is declined as ${as}`,
    gateway: (call: { key: string }) => answer(call, { status, code }),
    send: { kind: 'declined', code: as },
    inquire: { kind: 'declined', code: as },
  } as const
}

const refused = { kind: 'declined', code: 'gateway_refused' } as const

testConnectorContract('sandbox', {
  connect: (baseUrl) => sandboxConnector({ baseUrl }),
  operation,
  success: (call) => answer(call),
  successOf: (call, amount) => answer(call, { amount: Number(amount) }),
  cases: [
    {
      title: 'succeeded is a success',
      gateway: (call) => answer(call),
      send: 'succeeded',
      inquire: 'succeeded',
    },
    {
      title: 'pending is accepted, not done',
      gateway: (call) => answer(call, { status: 'pending' }),
      send: 'pending',
      inquire: 'pending',
    },
    declined('card_declined'),
    declined('insufficient_funds'),
    declined('lost_card'),
    declined('stolen_card'),
    declined('expired_card'),
    declined('incorrect_cvc'),
    declined('processing_error'),
    declined('authentication_required'),
    declined('account_closed', 'account_closed', 'failed'),
    declined('parent_not_found', 'gateway_refused'),
    declined('parent_not_successful', 'gateway_refused'),
    declined('parent_not_authorized', 'gateway_refused'),
    declined('parent_not_captured', 'gateway_refused'),
    declined('nothing_authorized', 'gateway_refused'),
    declined('amount_exceeds_parent', 'gateway_refused'),
    declined('currency_mismatch', 'gateway_refused'),
    declined('a_reason_of_next_year', 'other'),
    declined('constructor', 'other'),
    {
      title: 'a status word that is not in the documentation is unknown',
      gateway: (call) => answer(call, { status: 'succeeded_later' }),
      send: { kind: 'unknown', cause: 'unknown_status_word' },
      inquire: { kind: 'unknown', cause: 'unknown_status_word' },
    },
    {
      title: 'an answer about another key is unknown',
      gateway: () => answer({ key: 'not-ours' }),
      send: { kind: 'unknown', cause: 'answer_to_something_else' },
      inquire: { kind: 'unknown', cause: 'answer_to_something_else' },
    },
    {
      title: 'an answer about another operation is unknown',
      gateway: (call) => answer(call, { operation: 'refund' }),
      send: { kind: 'unknown', cause: 'answer_to_something_else' },
      inquire: { kind: 'unknown', cause: 'answer_to_something_else' },
    },
    {
      title: '200 that is not JSON is unknown',
      gateway: () => ({ status: 200, body: '<html>Welcome</html>' }),
      send: { kind: 'unknown', cause: 'malformed_answer' },
      inquire: { kind: 'unknown', cause: 'malformed_answer' },
    },
    {
      title: '200 without a body is unknown',
      gateway: () => ({ status: 200, body: '' }),
      send: 'unknown',
      inquire: 'unknown',
    },
    {
      title: 'an answer longer than any gateway would give is unknown',
      gateway: (call) => answer(call, { padding: 'x'.repeat(400_000) }),
      send: 'unknown',
      inquire: 'unknown',
    },
    {
      title: '400 refuses a first send; after an earlier one it proves nothing',
      gateway: error(400, 'invalid_request'),
      send: refused,
      resend: { kind: 'unknown', cause: 'http_400' },
      inquire: { kind: 'unknown', cause: 'http_400' },
    },
    {
      title: '401 refuses a first send; after an earlier one it proves nothing',
      gateway: error(401, 'unauthorized'),
      send: refused,
      resend: 'unknown',
      inquire: 'unknown',
    },
    {
      title: '403 refuses a first send; after an earlier one it proves nothing',
      gateway: error(403, 'forbidden'),
      send: refused,
      resend: 'unknown',
      inquire: 'unknown',
    },
    {
      title: '404 refuses a first send; only with its word does it say "no such operation"',
      gateway: error(404, 'no_such_endpoint'),
      send: refused,
      resend: 'unknown',
      inquire: 'unknown',
    },
    {
      title: 'an operation the gateway does not know is not found',
      gateway: error(404, 'operation_not_found'),
      send: refused,
      resend: 'unknown',
      inquire: 'not_found',
    },
    {
      title: '409, a key in flight, is unknown',
      gateway: error(409, 'key_in_flight'),
      send: { kind: 'unknown', cause: 'http_409' },
      inquire: { kind: 'unknown', cause: 'http_409' },
    },
    {
      title: '422, a key used for something else, is unknown',
      gateway: error(422, 'key_reused'),
      send: { kind: 'unknown', cause: 'http_422' },
      inquire: 'unknown',
    },
    {
      title: '429 was not taken',
      gateway: error(429, 'too_many_requests', { 'retry-after': '2' }),
      send: { kind: 'not_sent', cause: 'http_429' },
      inquire: 'unknown',
    },
    {
      title: '503 not_processed was not taken',
      gateway: error(503, 'not_processed'),
      send: { kind: 'not_sent', cause: 'not_processed' },
      inquire: 'unknown',
    },
    {
      title: 'any other 503 is unknown',
      gateway: error(503, 'overloaded'),
      send: { kind: 'unknown', cause: 'http_503' },
      inquire: 'unknown',
    },
    {
      title: '500 is unknown',
      gateway: error(500, 'not_processed'),
      send: { kind: 'unknown', cause: 'http_500' },
      inquire: 'unknown',
    },
    {
      title: 'a redirect is not followed, and is unknown',
      gateway: () => ({ status: 307, headers: { location: '/operations' }, body: '' }),
      send: { kind: 'unknown', cause: 'http_307' },
      inquire: 'unknown',
    },
    {
      title: 'a connection cut before the answer is unknown',
      gateway: () => 'cut_before_answer',
      send: 'unknown',
      inquire: 'unknown',
    },
    {
      title: 'a connection cut within the answer is unknown',
      gateway: () => 'cut_in_body',
      send: 'unknown',
      inquire: 'unknown',
    },
    {
      title: 'no answer in time is unknown',
      gateway: () => 'silence',
      send: { kind: 'unknown', cause: 'TimeoutError' },
      inquire: 'unknown',
    },
  ],
})
