import { type Asked, type Command, tenantOf } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { knownId } from '../../../platform/ids.ts'
import { actOf, recordAudit } from '../../audit/index.ts'
import { exceeds } from './change-clients.ts'
import { rulesView } from './client-metadata.ts'
import { type ClientRow, insertClients } from './client.queries.ts'
import { clientFault } from './client.rules.ts'
import { type NewClient, clientRow } from './create-client.ts'
import { refuse } from './client.errors.ts'

export interface ClientRegistration extends Omit<NewClient, 'tenantId' | 'at' | 'by' | 'identity'> {
  readonly clientId: string
  /** Made before, so that a second run of the transaction writes the same one. */
  readonly secret: string | undefined
}

/** Registers clients of a tenant, each with no more scopes than who registers it. */
export const registerClients: Command<ClientRegistration, ClientRow> = {
  name: 'register_clients',
  run,
}

async function run(
  tx: Tx,
  requests: readonly Asked<ClientRegistration>[],
): Promise<Outcome<ClientRow>[]> {
  tenantOf(requests)
  const outcomes = requests.map(judge)
  const accepted = requests.flatMap((request, index) => {
    const outcome = outcomes[index] as Outcome<ClientRow>
    return outcome.ok ? [{ row: outcome.value, request }] : []
  })
  if (accepted.length > 0) {
    await insertClients(
      tx,
      accepted.map(({ row }) => row),
    )
  }
  recordAudit(
    tx,
    accepted.map(({ row, request }) =>
      actOf(request, {
        action: 'client.create',
        resourceKind: 'client',
        resourceId: knownId(row.client_id),
        detail: { kind: row.kind, scope: row.scope, security_profile: row.security_profile },
      }),
    ),
  )
  return outcomes
}

function judge({ tenantId, actor, at, input }: Asked<ClientRegistration>): Outcome<ClientRow> {
  const asked = { ...input, tenantId, at, by: actor.id }
  const row = clientRow(asked, input.clientId, input.secret)
  const fault = clientFault(rulesView({ ...row, mode: actor.tenantMode }))
  if (fault !== undefined) return refuse('client_invalid', { detail: `${fault}.` })
  return exceeds(row.scope, actor) ?? accept(row)
}
