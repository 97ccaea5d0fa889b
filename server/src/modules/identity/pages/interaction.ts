import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Client, type Interaction, type Provider, errors } from 'oidc-provider'
import type { Pool } from 'pg'
import type { Clock } from '../../../platform/clock.ts'
import type { Sealing } from '../../../platform/crypto/sealing.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { hashOfId } from '../artifact-id.ts'
import { consumeArtifact, restoreArtifact } from '../artifact.queries.ts'
import { oursOf } from '../clients/library-client.ts'
import type { ConsentSlot } from '../consent-slot.ts'
import { type TenantRow, getTenant } from '../tenant.queries.ts'
import type { LoginProblem } from './login.page.ts'

/** What the pages need of the authorization server. */
export interface PageParts {
  readonly issuer: string
  readonly pool: Pool
  readonly sealing: Sealing
  readonly clock: Clock
  readonly consents: ConsentSlot | undefined
  /** The one that answers now: it changes with the signing keys. */
  readonly provider: () => Provider
}

/** One authorization request that waits for a person, the app that made it, and the app's bank. */
export interface Waiting {
  readonly provider: Provider
  readonly interaction: Interaction
  readonly client: Client
  readonly tenant: TenantRow
}

/**
 * What a page remembers between two requests. It stands beside the answer that the library waits for
 * and is nothing to it: a browser that goes on by itself is sent back to the page.
 */
export interface Progress {
  /** The name that was typed, once with a password: then a code is asked for, or a passkey. */
  readonly username?: string
  readonly passwordOk?: boolean
  /** Once a passkey was chosen: what it is to sign. */
  readonly challenge?: string
  readonly problem?: LoginProblem
  readonly message?: string
  readonly chosen?: readonly string[]
}

/** The request that this browser's cookie names, if it is the one of the address. */
export async function waitingFor(
  { provider: current, pool }: PageParts,
  request: FastifyRequest,
  reply: Pick<FastifyReply, 'raw'>,
): Promise<Waiting> {
  const provider = current()
  const { uid } = request.params as { uid: string }
  const interaction = await provider.interactionDetails(request.raw, reply.raw)
  if (interaction.uid !== uid) throw new errors.SessionNotFound('another page was opened since')
  const client = await provider.Client.find(String(interaction.params['client_id']))
  if (client === undefined) throw new errors.InvalidClient('the client is gone')
  const { tenant_id: tenantId } = oursOf(client)
  const tenant = await getTenant(databaseOver(pool), tenantId)
  return { provider, interaction, client, tenant }
}

export function progressOf({ result }: Interaction): Progress {
  return (result?.['progress'] as Progress | undefined) ?? {}
}

/** Keeps what the person sees next. The answer to the app stays open. */
export async function keepProgress(interaction: Interaction, progress: Progress): Promise<void> {
  interaction.result = { progress: { ...progress } }
  await interaction.persist()
}

/** Answers the library: where the browser goes on. */
export async function finish(
  { provider }: Waiting,
  request: FastifyRequest,
  reply: Pick<FastifyReply, 'raw'>,
  result: Record<string, unknown>,
): Promise<string> {
  const merges = { mergeWithLastSubmission: 'consent' in result }
  return await provider.interactionResult(request.raw, reply.raw, result, merges)
}

/** True for exactly one of several submissions of a page. */
export async function claim(pool: Pool, { uid }: Interaction): Promise<boolean> {
  return await consumeArtifact(databaseOver(pool), 'Interaction', hashOfId(uid))
}

export async function release(pool: Pool, { uid }: Interaction): Promise<void> {
  await restoreArtifact(databaseOver(pool), 'Interaction', hashOfId(uid))
}

const WAIT_MS = 50
const MAX_WAITS = 60 // a decision is a transaction: three seconds are plenty

/** For the later of two submissions: waits until the first has answered. */
export async function answered({ provider, interaction }: Waiting): Promise<boolean> {
  for (let turn = 0; turn < MAX_WAITS; turn += 1) {
    const now = await provider.Interaction.find(interaction.uid)
    if (
      now === undefined ||
      now.result?.consent !== undefined ||
      now.result?.['error'] !== undefined
    ) {
      return true
    }
    await sleep(WAIT_MS)
  }
  return false
}
