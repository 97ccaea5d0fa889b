import type { Actor } from '../../../platform/actor.ts'
import { type Asked, tenantOf } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type Outcome, type Refused, accept } from '../../../platform/errors.ts'
import { knownId } from '../../../platform/ids.ts'
import { actOf, recordAudit } from '../../audit/index.ts'
import { rulesView } from './client-metadata.ts'
import { type ClientRow, type DirectoryRow, lockClients, updateClients } from './client.queries.ts'
import { clientFault } from './client.rules.ts'
import { refuse } from './client.errors.ts'
import { type Consents, endAccess } from '../end-access.ts'
import { announceClients, readmitClient, revokeClients } from '../revoke-tokens.ts'

/** What the commands that change clients share: lock, judge each, write, tell every node, record. */
export interface ClientChange<Input> {
  readonly action: string
  /** Changes the row, and answers what the audit keeps of it; undefined when nothing changed. */
  readonly judge: (row: DirectoryRow, request: Asked<Input>) => Outcome<object | undefined>
  /** Whoever does this may hold less than the client: it only takes away. */
  readonly onlyTakes?: (input: Input) => boolean
  /** Ended with a client that is disabled. */
  readonly consents?: Consents
}

type Named = { readonly clientId: string }

export async function changeClients<Input extends Named>(
  tx: Tx,
  requests: readonly Asked<Input>[],
  change: ClientChange<Input>,
): Promise<Outcome<ClientRow>[]> {
  const tenantId = tenantOf(requests)
  const ids = [...new Set(requests.map(({ input }) => input.clientId))]
  const held = await lockClients(tx, tenantId, ids)
  const changed: Changed[] = []
  const outcomes = requests.map((request): Outcome<ClientRow> => {
    const kept = held.get(request.input.clientId)
    if (kept === undefined) return refuse('client_not_found')
    const row = { ...kept }
    const judged = change.judge(row, request)
    if (!judged.ok) return judged
    if (judged.value === undefined) return accept(kept)
    const onlyTakes = change.onlyTakes?.(request.input) ?? false
    const refused = refusalOf(row, request.actor, onlyTakes)
    if (refused !== undefined) return refused
    const written = { ...row, version: kept.version + 1, updated_at: request.at }
    held.set(kept.client_id, written)
    changed.push({ before: kept, after: written, request, detail: judged.value })
    return accept(written)
  })
  await write(tx, changed, change)
  return outcomes
}

interface Changed {
  readonly before: ClientRow
  readonly after: ClientRow
  readonly request: Asked<Named>
  readonly detail: object
}

function refusalOf(row: DirectoryRow, actor: Actor, onlyTakes: boolean): Refused | undefined {
  if (onlyTakes) return undefined
  const fault = clientFault(rulesView(row))
  if (fault !== undefined) return refuse('client_invalid', { detail: `${fault}.` })
  return exceeds(row.scope, actor)
}

/**
 * Who gives a client its scopes, its secrets or its keys can act as that client: so it must hold all
 * that the client holds. `openid` opens no route and is in no access token.
 */
export function exceeds(scope: string, { scopes }: Actor): Refused | undefined {
  const more = scope.split(' ').filter((one) => one !== 'openid' && !scopes.has(one))
  if (more.length === 0) return undefined
  return refuse('client_exceeds_caller', { detail: `The caller does not hold ${more.join(' ')}.` })
}

async function write<Input>(
  tx: Tx,
  changed: readonly Changed[],
  { action, consents }: ClientChange<Input>,
): Promise<void> {
  if (changed.length === 0) return
  const last = new Map(changed.map(({ after }) => [after.client_id, after]))
  await updateClients(tx, [...last.values()])
  await endDisabled(tx, changed, consents)
  for (const { before, after, request } of changed) {
    const { tenant_id: tenantId, client_id: clientId } = after
    const ended = { tenantId, clientId, at: request.at }
    if (isDisabled(before, after)) {
      await revokeClients(tx, [{ ...ended, reason: 'client_disabled', forGood: true }])
    } else if (before.status === 'disabled' && after.status === 'active') {
      await readmitClient(tx, ended)
    } else if (isNarrower(before, after)) {
      await revokeClients(tx, [{ ...ended, reason: 'client_narrowed' }])
    } else {
      await announceClients(tx, [{ ...ended, reason: 'client_changed' }])
    }
  }
  recordAudit(
    tx,
    changed.map(({ after, request, detail }) =>
      actOf(request, {
        action,
        resourceKind: 'client',
        resourceId: knownId(after.client_id),
        detail,
      }),
    ),
  )
}

// At once, and before revocations are written: consents are locked first, and in order.
async function endDisabled(tx: Tx, changed: readonly Changed[], consents: Consents): Promise<void> {
  const ended = changed
    .filter(({ before, after }) => isDisabled(before, after))
    .map(({ after: { tenant_id: tenantId, client_id: clientId }, request: { at } }) => {
      return { tenantId, clientId, reason: 'client_disabled', at }
    })
  const [first] = ended
  if (first !== undefined) await endAccess(tx, first.tenantId, ended, consents)
}

function isDisabled(before: ClientRow, after: ClientRow): boolean {
  return before.status === 'active' && after.status === 'disabled'
}

// What a live token could still do that the client may no more.
function isNarrower(before: ClientRow, after: ClientRow): boolean {
  const lost = (had: readonly string[], has: readonly string[]) =>
    had.some((one) => !has.includes(one))
  return (
    lost(before.scope.split(' '), after.scope.split(' ')) ||
    lost(before.grant_types, after.grant_types) ||
    lost(before.authorization_details_types, after.authorization_details_types)
  )
}
