import type { Actor } from '../../platform/actor.ts'
import { type FieldErrorCode, type Outcome, accept } from '../../platform/errors.ts'
import { internalId } from '../../platform/ids.ts'
import type { Connector } from './connectors/connector.ts'
import type { NewPayment } from './create-payments.ts'
import { refuse } from './payment.errors.ts'
import type { PaymentMethod } from './payment.queries.ts'
import type { CreatePaymentBody } from './payment.schema.ts'
import { findSandboxCard } from './sandbox-values.ts'

/**
 * What a request asks for, or why it cannot be asked: every rule that needs no row. The card number
 * and the CVC end here; what goes on is the token, the brand and the last four digits.
 */
export function toNewPayment(
  body: CreatePaymentBody,
  { id, actor, route }: { id: string; actor: Actor; route: Route },
): Outcome<NewPayment> {
  const { amount, currency, payment_method, recipient, source } = body
  const method = methodOf(payment_method, actor)
  if (!method.ok) return method
  const isBook = method.value.type === 'book'
  if (isBook && source === undefined) {
    return refuse('source_required', wrong('#/source', 'required', 'required for a book payment'))
  }
  if (isBook && recipient === undefined) {
    return refuse(
      'recipient_required',
      wrong('#/recipient', 'required', 'required for a book payment'),
    )
  }
  if (!isBook && source !== undefined) {
    return refuse('source_not_allowed', wrong('#/source', 'not_allowed', 'only for book payments'))
  }
  if (isBook && source?.account_id === recipient?.account_id) {
    return refuse('same_account', wrong('#/recipient/account_id', 'not_allowed', 'is the source'))
  }
  if (isBook && body.capture_method === 'manual') {
    return refuse(
      'capture_method_not_allowed',
      wrong('#/capture_method', 'not_allowed', 'only for cards'),
    )
  }
  const gateway = isBook
    ? undefined
    : route({ paymentType: method.value.type, currency, tenantMode: actor.tenantMode })
  if (!isBook && gateway === undefined) return refuse('no_route')
  return accept({
    id,
    amount: BigInt(amount),
    currency,
    method: method.value,
    recipientAccountId: accountOf(recipient),
    sourceAccountId: accountOf(source),
    gatewayId: gateway?.id ?? null,
    captureMethod: body.capture_method ?? 'automatic',
    description: body.description ?? null,
    statementDescriptor: body.statement_descriptor ?? null,
    externalId: body.external_id ?? null,
    metadata: body.metadata ?? {},
  })
}

/** The gateway that takes this kind of payment in this currency, or none. */
export type Route = (asked: {
  readonly paymentType: string
  readonly currency: string
  readonly tenantMode: Actor['tenantMode']
}) => Connector | undefined

export function routeOver(connectors: readonly Connector[]): Route {
  return ({ paymentType, currency, tenantMode }) =>
    connectors.find(({ capabilities: { paymentTypes, tenantModes, currencies } }) => {
      const speaks = currencies === 'any' || Object.hasOwn(currencies, currency)
      return speaks && paymentTypes.includes(paymentType) && tenantModes.includes(tenantMode)
    })
}

function methodOf(
  { type, card }: CreatePaymentBody['payment_method'],
  { tenantMode }: Actor,
): Outcome<PaymentMethod> {
  const where = '#/payment_method/card'
  if (type === 'book') {
    if (card === undefined) return accept({ type })
    return refuse(
      'payment_method_invalid',
      wrong(where, 'not_allowed', 'a book payment has no card'),
    )
  }
  if (card?.number !== undefined && tenantMode === 'live') return refuse('raw_card_data_refused')
  const given = card?.number ?? card?.token
  if (card === undefined || given === undefined) {
    return refuse(
      'payment_method_invalid',
      wrong(where, 'required', 'a token or a test card number'),
    )
  }
  if (card.number !== undefined && card.token !== undefined) {
    return refuse(
      'payment_method_invalid',
      wrong(where, 'not_allowed', 'a token or a number, not both'),
    )
  }
  const known = findSandboxCard(
    card.number === undefined ? { token: given } : { number: card.number },
  )
  if (known === undefined) {
    const field = card.number === undefined ? 'token' : 'number'
    return refuse(
      'test_card_required',
      wrong(`${where}/${field}`, 'not_allowed', 'not a test card'),
    )
  }
  const { token, brand, last4 } = known
  return accept({ type: 'card', card: { token, brand, last4 } })
}

function accountOf(reference: { account_id: string } | undefined): string | null {
  return reference === undefined ? null : (internalId('acc', reference.account_id) ?? null)
}

function wrong(pointer: string, code: FieldErrorCode, detail: string) {
  return { errors: [{ pointer, code, detail }] }
}
