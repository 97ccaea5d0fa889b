import { revokeGrants } from '../identity/index.ts'
import { type Asked, type Command, tenantOf } from '../../platform/command.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { refuse } from './banking.errors.ts'
import { type ConsentRow, lockConsents } from './consent.queries.ts'
import { type Ending, endConsents, grantsOf } from './end-consents.ts'
import { canSeeConsent } from './view.ts'

export interface ConsentWithdrawal {
  readonly consentId: string
  readonly isBank: boolean
}

/**
 * Takes consents back, with every token under them, in one transaction. The lock of the consent is
 * the one that transfers hold: once this has answered, none of them commits any more. Withdrawing
 * what has ended changes nothing.
 */
export const withdrawConsents: Command<ConsentWithdrawal, ConsentRow> = {
  name: 'withdraw_consents',
  async run(tx, requests) {
    const tenantId = tenantOf(requests)
    const ids = requests.map(({ input }) => input.consentId)
    const locked = await lockConsents(tx, tenantId, { ids })
    const rows = new Map(locked.map((row) => [row.id, row]))
    const endings = new Map<ConsentRow, Ending>()
    const outcomes = requests.map((request): Outcome<ConsentRow> => {
      const { actor, input } = request
      const row = rows.get(input.consentId)
      if (row === undefined || !canSeeConsent({ actor, isBank: input.isBank }, row)) {
        return refuse('consent_not_found')
      }
      if (!endings.has(row)) endings.set(row, endingOf(request))
      return accept(row)
    })
    await revokeGrants(tx, grantsOf(endConsents(tx, endings), 'consent_revoked'))
    return outcomes
  },
}

function endingOf({ actor, requestId, at }: Asked<unknown>): Ending {
  return { actor, requestId, at, by: 'revoked' }
}
