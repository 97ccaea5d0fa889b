import type { Batcher } from '../../platform/batch/batch.ts'
import type { Clock } from '../../platform/clock.ts'
import { systemActor } from '../../platform/actor.ts'
import type { DueQueue } from '../../platform/due/due.ts'
import { newId, publicId } from '../../platform/ids.ts'
import {
  type ClaimedAttempt,
  claimDueAttempts,
  listTenantsWithDueAttempts,
  releaseAttempts,
} from './attempt.queries.ts'
import type { Connector, GatewayCall, Operation } from './connectors/connector.ts'
import { type GatewayReply, recordReplies } from './record-replies.ts'

/**
 * Carries attempts to their gateway in three phases, and no lock is held while the gateway thinks:
 * the claim commits the attempt as `sending`, the call happens outside any transaction, the reply is
 * committed where the lease is still ours.
 *
 * A crash before the claim leaves the attempt `created`: it is sent. After the claim it is `sending`
 * with an expired lease: perhaps the gateway has it, so it is asked first. After the call but before
 * the commit: the same. Only `not_found` from a gateway that knows keys allows another send, and
 * that under the same key.
 */
export function attemptQueue({
  batcher,
  connectors,
  clock,
}: {
  readonly batcher: Batcher
  readonly connectors: readonly Connector[]
  readonly clock: Clock
}): DueQueue<ClaimedAttempt> {
  const byId = new Map(connectors.map((connector) => [connector.id, connector]))

  async function work(attempt: ClaimedAttempt, signal: AbortSignal): Promise<void> {
    const connector = byId.get(attempt.gateway_id)
    if (connector === undefined) throw new Error(`no connector for gateway ${attempt.gateway_id}`)
    // What has outlived several workers may be what ends them: it is not tried once more.
    const reply =
      attempt.claims >= MAX_CLAIMS
        ? givenUp(`${MAX_CLAIMS} claims ended without a result`)
        : await ask(connector, attempt, { signal, now: clock.now() })
    const tenantId = attempt.tenant_id
    await batcher.perform(recordReplies, {
      tenantId,
      actor: systemActor('send_attempts', tenantId),
      requestId: publicId('req', newId(clock.now())),
      at: clock.now(),
      input: { attempt, reply },
    })
  }

  return {
    name: 'payment_attempts',
    tenants: listTenantsWithDueAttempts,
    claim: claimDueAttempts,
    release: releaseAttempts,
    work,
    maxInFlight: 64,
  }
}

const MAX_CLAIMS = 5

/** Sends what was never sent; asks about everything else first. */
async function ask(
  connector: Connector,
  attempt: ClaimedAttempt,
  { signal, now }: { signal: AbortSignal; now: Date },
): Promise<GatewayReply> {
  const key = publicId('att', attempt.id)
  if (attempt.status === 'created' || attempt.status === 'not_sent') {
    return send(connector, attempt, { key, resend: attempt.sends > 0, signal })
  }
  const inquiry = await connector.inquire(
    { key, resend: true, signal },
    {
      operation: attempt.operation,
      amount: attempt.amount,
      currency: attempt.currency,
      ...(attempt.gateway_reference === null ? {} : { reference: attempt.gateway_reference }),
    },
  )
  if (inquiry.kind !== 'not_found') return { outcome: inquiry, sent: false }
  const { idempotency, keyLifetimeMs } = connector.capabilities
  const age = now.getTime() - (attempt.sent_at ?? attempt.created_at).getTime()
  // Without keys absence proves nothing, the first request may still be on its way; and a gateway
  // that has forgotten the key would take a second send for a new payment.
  if (idempotency !== 'key' || age >= keyLifetimeMs) {
    return givenUp('the gateway does not know it, and a second send would not be safe')
  }
  return send(connector, attempt, { key, resend: true, signal })
}

function givenUp(cause: string): GatewayReply {
  return { outcome: { kind: 'given_up', cause }, sent: false }
}

async function send(
  connector: Connector,
  attempt: ClaimedAttempt,
  call: GatewayCall,
): Promise<GatewayReply> {
  return { outcome: await connector.send(call, operationOf(attempt)), sent: true }
}

function operationOf(attempt: ClaimedAttempt): Operation {
  const { operation, amount, currency, instrument, parent_attempt_id, final } = attempt
  if (operation === 'sale' || operation === 'authorize') {
    if (instrument === null) throw new Error(`attempt ${attempt.id} has no instrument`)
    return { operation, amount, currency, instrument }
  }
  if (parent_attempt_id === null) throw new Error(`attempt ${attempt.id} follows none`)
  const parent = publicId('att', parent_attempt_id)
  return operation === 'capture'
    ? { operation, amount, currency, parent, final: final ?? true }
    : { operation, amount, currency, parent }
}
