import { systemActor } from '../../src/platform/actor.ts'
import type { Asked, Command } from '../../src/platform/command.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import { newId } from '../../src/platform/ids.ts'
import { createTenant } from '../../src/modules/identity/create-tenant.ts'
import { createUsers } from '../../src/modules/identity/users/create-users.ts'
import type { UserKind, UserRow } from '../../src/modules/identity/users/user.queries.ts'
import type { TestDatabase } from './database.ts'

/** Commands upon the people of two tenants. */
export interface PeopleWorld {
  readonly tenantId: string
  readonly otherTenant: string
  givenUser(kind?: UserKind, tenantId?: string): Promise<UserRow>
  /** Runs a command over one batch; answers `ok` or the code of the refusal, item by item. */
  run<Input, Value, Held>(
    command: Command<Input, Value, Held>,
    inputs: readonly Input[],
    tenantId?: string,
  ): Promise<string[]>
}

const at = new Date('2026-11-23T09:00:00Z')

export async function openPeopleWorld({ pools }: TestDatabase): Promise<PeopleWorld> {
  const [tenantId, otherTenant] = await inTransaction(
    pools.identity,
    async (tx) =>
      [
        (await createTenant(tx, { name: 'A', mode: 'sandbox', at })).tenant_id,
        (await createTenant(tx, { name: 'B', mode: 'sandbox', at })).tenant_id,
      ] as const,
  )

  async function outcomesOf<Input, Value, Held>(
    command: Command<Input, Value, Held>,
    inputs: readonly Input[],
    of: string,
  ) {
    const actor = systemActor('test', of)
    const asked = inputs.map((input): Asked<Input> => {
      return { tenantId: of, actor, requestId: 'req_test', at, input }
    })
    return await inTransaction(pools.identity, async (tx) => {
      const held = (await command.lock?.(tx, asked)) as Held
      return await command.run(tx, asked, held)
    })
  }

  return {
    tenantId,
    otherTenant,
    async givenUser(kind = 'customer', of = tenantId) {
      const input = {
        userId: newId(at),
        kind,
        username: `ada.${newId(at).slice(-12)}`,
        partyId: newId(at),
        displayName: 'Ada Customer',
        roles: [],
        passwordHash: 'first',
        sealedTotpSecret: undefined,
      }
      const [outcome] = await outcomesOf(createUsers, [input], of)
      if (outcome?.ok !== true) throw new Error('the user was not made')
      return outcome.value
    },
    async run(command, inputs, of = tenantId) {
      const outcomes = await outcomesOf(command, inputs, of)
      return outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.refusal.code))
    },
  }
}
