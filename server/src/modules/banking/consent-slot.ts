import type { Pool } from 'pg'
import type { ConsentAsk, ConsentSlot } from '../identity/index.ts'
import { type Actor, systemActor } from '../../platform/actor.ts'
import type { Clock } from '../../platform/clock.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import type { Db } from '../../platform/db/types.ts'
import { newId, publicId } from '../../platform/ids.ts'
import { authoriseConsent } from './authorise-consent.ts'
import {
  type ConsentRow,
  listLiveConsents,
  lockConsents,
  lockConsentsOfGrants,
} from './consent.queries.ts'
import { preparedId } from './consent-terms.ts'
import { customerOf } from './customer-actor.ts'
import { describeConsent } from './describe-consent.ts'
import { endConsentsOfKeptOut } from './end-consents-of-kept-out.ts'
import { type Ending, endConsents } from './end-consents.ts'
import { findHoldings } from './holder.queries.ts'
import { inLockOrder } from './lock-consents.ts'

/** What the authorization server asks of consents, over their tables. */
export function consentSlot({
  pool,
  db,
  clock,
}: {
  /** Where decisions are written. */
  readonly pool: Pool
  readonly db: Db
  readonly clock: Clock
}): ConsentSlot {
  return {
    describe: (ask) => describeConsent(db, ask, clock.now()),
    authorise: (ask, choice) => inTransaction(pool, (tx) => authoriseConsent(tx, ask, choice)),
    async reject(ask, at) {
      const id = preparedId(ask)
      if (id === undefined) return // nothing was kept of what was asked
      await inTransaction(pool, async (tx) => {
        const rows = await lockConsents(tx, ask.tenantId, { ids: [id] })
        const mine = rows.filter((row) => row.client_id === ask.client.clientId)
        const ending = endingOf(customerOf(ask, 'consent_page'), at, 'rejected')
        endConsents(tx, new Map(mine.map((row) => [row, ending])))
      })
    },
    liveGrant: (ask) => liveGrant(db, ask, clock.now()),
    async grantsEnded(tx, ended) {
      const rows = await lockConsentsOfGrants(tx, inLockOrder(ended))
      const endings = new Map<ConsentRow, Ending>()
      for (const row of rows) {
        const why = ended.find(
          ({ tenantId, grantId }) => tenantId === row.tenant_id && grantId === row.grant_id,
        )
        if (why === undefined) throw new Error('a consent was locked that nobody asked for')
        const actor = systemActor('authorization_server', row.tenant_id)
        endings.set(row, { ...endingOf(actor, why.at, 'revoked'), reason: why.reason })
      }
      endConsents(tx, endings)
    },
    keptOut: endConsentsOfKeptOut,
  }
}

function endingOf(actor: Actor, at: Date, by: Ending['by']): Ending {
  return { actor, at, by, requestId: publicId('req', newId(at)) }
}

/** A request that brings details of its own is looked at by the customer each time. */
async function liveGrant(db: Db, ask: ConsentAsk, now: Date): Promise<string | undefined> {
  if (ask.authorizationDetails.length > 0) return undefined
  const { tenantId, user, client } = ask
  const { partyId, userId } = user
  const asked = { partyId, userId, clientId: client.clientId, now }
  const rows = await listLiveConsents(db, tenantId, asked)
  const holdings = await findHoldings(db, [{ tenantId, partyId }])
  const held = new Set(holdings.map((row) => row.account_id))
  const live = rows.find(
    ({ payment, permissions, account_ids: accounts }) =>
      payment === null &&
      ask.scopes.every((scope) => permissions.includes(scope)) &&
      (accounts.length === 0 || accounts.some((id) => held.has(id))),
  )
  return live?.grant_id ?? undefined
}
