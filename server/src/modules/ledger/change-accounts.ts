import { actOf, recordAudit } from '../audit/index.ts'
import { type Asked, tenantOf } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import type { Outcome } from '../../platform/errors.ts'
import { emit } from '../../platform/events/events.ts'
import { lockAccounts, writeAccounts } from './account-change.queries.ts'
import type { AccountRow } from './account-row.ts'
import { refuse } from './ledger.errors.ts'
import { accountEvent, type accountUpdated } from './ledger.events.ts'

/** How a command that changes accounts judges one: the change, or undefined when there is none. */
export interface AccountChange<Input> {
  readonly action: 'ledger.account.update' | 'ledger.account.close'
  readonly event: typeof accountUpdated
  readonly judge: (row: AccountRow, input: Input) => Outcome<object | undefined>
}

/** Locks, judges one after another, writes each account once, and records every change of it. */
export async function changeAccounts<Input extends { readonly accountId: string }>(
  tx: Tx,
  requests: readonly Asked<Input>[],
  { action, event, judge }: AccountChange<Input>,
): Promise<Outcome<AccountRow>[]> {
  const tenantId = tenantOf(requests)
  const ids = requests.map(({ input }) => input.accountId)
  const rows = await lockAccounts(tx, tenantId, ids)
  const acts: Parameters<typeof recordAudit>[1][number][] = []
  const events: ReturnType<typeof accountEvent>[] = []
  const changed = new Set<AccountRow>()
  const outcomes = requests.map((request): Outcome<AccountRow> => {
    const { accountId } = request.input
    const row = rows.get(accountId)
    if (row === undefined) return refuse('ledger_account_not_found')
    const outcome = judge(row, request.input)
    if (!outcome.ok) return outcome
    if (outcome.value !== undefined) {
      row.version += 1
      changed.add(row)
      const detail = outcome.value
      acts.push(
        actOf(request, { action, resourceKind: 'ledger_account', resourceId: accountId, detail }),
      )
      const { status, version } = row
      events.push(accountEvent(event, { tenantId, accountId, status, version }, request))
    }
    return { ok: true, value: { ...row } }
  })
  writeAccounts(tx, tenantId, [...changed])
  recordAudit(tx, acts)
  emit(tx, events)
  return outcomes
}
