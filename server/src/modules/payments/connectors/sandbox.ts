import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { toJsonAmount } from '../../../platform/money.ts'
import type { SandboxDecline } from '../sandbox-values.ts'
import type {
  Capabilities,
  Connector,
  GatewayCall,
  GatewayOutcome,
  InquiryOutcome,
  Operation,
  OperationKind,
} from './connector.ts'
import { failureOf, type Failure, type FailureCode } from './failure-codes.ts'
import { openGatewayHttp, type HttpExchange } from './gateway-http.ts'

/** The sandbox gateway, a real HTTP server of its own; `baseUrl` is where it answers. */
export function sandboxConnector({ baseUrl }: { baseUrl: string }): Connector {
  const http = openGatewayHttp(baseUrl)
  const path = '/operations'
  return {
    id: 'sandbox',
    capabilities,
    async send(call, operation) {
      const body = bodyOf(call, operation)
      const exchange = await http.exchange({ method: 'POST', path, body, signal: call.signal })
      return sendOutcome(exchange, call, operation.operation)
    },
    async inquire({ key, signal }, { operation }) {
      const exchange = await http.exchange({ method: 'GET', path, query: { key }, signal })
      return inquiryOutcome(exchange, key, operation)
    },
    close: () => http.close(),
  }
}

/** The gateway's answer to a POST and to an inquiry. */
const Answer = Compile(
  Type.Object({
    key: Type.String(),
    reference: Type.String({ minLength: 1 }),
    operation: Type.String(),
    status: Type.String(),
    amount: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    currency: Type.String(),
    code: Type.Optional(Type.String()),
  }),
)

// The gateway's reasons for a no: the issuer's, then its own rules, which our own should have kept.
const failureCodeByGatewayCode: ReadonlyMap<string, FailureCode> = new Map(
  Object.entries({
    card_declined: 'card_declined',
    insufficient_funds: 'insufficient_funds',
    lost_card: 'lost_card',
    stolen_card: 'stolen_card',
    expired_card: 'expired_card',
    incorrect_cvc: 'incorrect_cvc',
    processing_error: 'processing_error',
    authentication_required: 'authentication_required',
    account_closed: 'account_closed',
    parent_not_found: 'gateway_refused',
    parent_not_successful: 'gateway_refused',
    parent_not_authorized: 'gateway_refused',
    parent_not_captured: 'gateway_refused',
    nothing_authorized: 'gateway_refused',
    amount_exceeds_parent: 'gateway_refused',
    currency_mismatch: 'gateway_refused',
  } satisfies Record<SandboxDecline, FailureCode> & Record<string, FailureCode>),
)

const capabilities: Capabilities = {
  paymentTypes: ['card'],
  tenantModes: ['sandbox'],
  operations: ['sale', 'authorize', 'capture', 'void', 'refund'],
  currencies: 'any',
  idempotency: 'key',
  inquiry: 'key',
  captures: 'multiple',
  refunds: 'multiple',
  refundDays: 365,
  keyLifetimeMs: Number.POSITIVE_INFINITY, // its journal forgets nothing
}

function bodyOf({ key }: GatewayCall, operation: Operation) {
  const amount = toJsonAmount(operation.amount)
  const asked = { key, operation: operation.operation, amount, currency: operation.currency }
  switch (operation.operation) {
    case 'sale':
    case 'authorize':
      return { ...asked, instrument: { token: operation.instrument.token } }
    case 'capture':
      return { ...asked, parent: operation.parent, final: operation.final }
    case 'void':
    case 'refund':
      return { ...asked, parent: operation.parent }
  }
}

function sendOutcome(
  exchange: HttpExchange,
  { key, resend }: GatewayCall,
  operation: OperationKind,
): GatewayOutcome {
  if (exchange.kind === 'not_connected') return { kind: 'not_sent', cause: exchange.cause }
  if (exchange.kind === 'no_answer') return { kind: 'unknown', cause: exchange.cause }
  const { status, body, retryAfterMs } = exchange
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  switch (status) {
    case 200:
      return answerOutcome(body, key, operation)
    case 400:
    case 401:
    case 403:
    case 404:
      return resend ? unknownStatus(status, body) : refused(status, body)
    case 429:
      return { kind: 'not_sent', cause: 'http_429', ...wait }
    case 503: // documented by the gateway: with this word, and only then, nothing was done
      return errorWord(body) === 'not_processed'
        ? { kind: 'not_sent', cause: 'not_processed', ...wait }
        : unknownStatus(status, body)
    default: // also 409, the key is in use, and 422, it was used for something else: a bug of ours
      return unknownStatus(status, body)
  }
}

/** A connection that fails and a gateway that is busy say nothing about the operation. */
function inquiryOutcome(
  exchange: HttpExchange,
  key: string,
  operation: OperationKind,
): InquiryOutcome {
  if (exchange.kind !== 'answered') return { kind: 'unknown', cause: exchange.cause }
  const { status, body } = exchange
  if (status === 200) return answerOutcome(body, key, operation)
  // The word matters: a 404 of some proxy in between is not the gateway's.
  if (status === 404 && errorWord(body) === 'operation_not_found') return { kind: 'not_found' }
  return unknownStatus(status, body)
}

function answerOutcome(
  raw: unknown,
  key: string,
  operation: OperationKind,
): Exclude<GatewayOutcome, { kind: 'not_sent' }> {
  if (!Answer.Check(raw)) return { kind: 'unknown', cause: 'malformed_answer', raw }
  if (raw.key !== key || raw.operation !== operation) {
    return { kind: 'unknown', cause: 'answer_to_something_else', raw }
  }
  const { reference, status, amount, currency, code } = raw
  switch (status) {
    case 'succeeded':
      return { kind: 'succeeded', reference, echoed: { amount: BigInt(amount), currency }, raw }
    case 'pending':
      return { kind: 'pending', reference, raw }
    case 'declined':
    case 'failed': // a refund that had succeeded has come back
      return { kind: 'declined', failure: failureFor(code), reference, raw }
    default:
      return { kind: 'unknown', cause: 'unknown_status_word', raw }
  }
}

function failureFor(gatewayCode: string | undefined): Failure {
  if (gatewayCode === undefined) return failureOf('other')
  return failureOf(failureCodeByGatewayCode.get(gatewayCode) ?? 'other', { gatewayCode })
}

/** The first and only send was refused as a request: it cannot have moved money. */
function refused(status: number, raw: unknown): GatewayOutcome {
  const failure = failureOf('gateway_refused', { gatewayCode: `http_${status}` })
  return { kind: 'declined', failure, raw }
}

function unknownStatus(status: number, raw: unknown) {
  return { kind: 'unknown', cause: `http_${status}`, raw } as const
}

function errorWord(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
}
