import { actOf, recordAudit } from '../audit/index.ts'
import { type Asked, type Command, tenantOf } from '../../platform/command.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { emit } from '../../platform/events/events.ts'
import { refuse } from './banking.errors.ts'
import { beneficiaryEvent } from './banking.events.ts'
import {
  type BeneficiaryRow,
  lockBeneficiaries,
  updateBeneficiaries,
} from './beneficiary.queries.ts'
import { lockConsentsOf, lockedView } from './lock-consents.ts'
import { canSeeBeneficiary, viewFault } from './view.ts'

export interface BeneficiaryChange {
  readonly beneficiaryId: string
  readonly change: { readonly name: string } | 'delete'
  readonly isBank: boolean
}

/** Renames saved payees, or takes them off the list. Transfers made to them keep naming them. */
export const changeBeneficiaries: Command<BeneficiaryChange, BeneficiaryRow> = {
  name: 'change_beneficiaries',
  async run(tx, requests) {
    const tenantId = tenantOf(requests)
    const locked = await lockConsentsOf(tx, requests)
    const ids = requests.map(({ input }) => input.beneficiaryId)
    const rows = await lockBeneficiaries(tx, tenantId, ids)
    const changes: { row: BeneficiaryRow; request: Asked<BeneficiaryChange> }[] = []
    const outcomes = requests.map((request): Outcome<BeneficiaryRow> => {
      const { actor, at, input } = request
      const fault = viewFault(lockedView(locked, request, input.isBank), 'transfer:write', at)
      if (fault !== undefined) return fault
      const row = rows.get(input.beneficiaryId)
      if (row === undefined || !canSeeBeneficiary(actor, row)) {
        return refuse('beneficiary_not_found')
      }
      row.version += 1
      row.event_sequence += 1
      row.updated_at = at
      if (input.change === 'delete') row.deleted_at = at
      else row.name = input.change.name
      changes.push({ row: { ...row }, request })
      return accept({ ...row })
    })
    const touched = new Set(changes.map(({ row }) => row.id))
    pipelined(
      tx,
      updateBeneficiaries(
        tx,
        tenantId,
        [...rows.values()].filter(({ id }) => touched.has(id)),
      ),
    )
    recordAudit(
      tx,
      changes.map(({ row, request }) =>
        actOf(request, {
          action: row.deleted_at === null ? 'beneficiary.update' : 'beneficiary.delete',
          resourceKind: 'beneficiary',
          resourceId: row.id,
        }),
      ),
    )
    emit(
      tx,
      changes.map(({ row, request }) =>
        beneficiaryEvent(row.deleted_at === null ? 'updated' : 'deleted', row, request),
      ),
    )
    return outcomes
  },
}
