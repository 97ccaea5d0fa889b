import type { CreateAccountBody, UpdateAccountBody } from './account.schema.ts'
import type { NewLedgerAccount } from './create-accounts.ts'
import type { AccountUpdate } from './update-accounts.ts'

/** Bodies of account requests as commands take them. */

export function toNewAccount(body: CreateAccountBody, accountId: string): NewLedgerAccount {
  return {
    accountId,
    name: body.name,
    line: body.role === undefined ? { code: body.chart_code as string } : { role: body.role },
    currency: body.currency,
    minAvailable: limitOf(body.min_available) ?? null,
    maxBalance: limitOf(body.max_balance) ?? null,
    externalId: body.external_id ?? null,
    metadata: body.metadata ?? {},
  }
}

export function toAccountUpdate(
  body: UpdateAccountBody,
  { accountId, allowed }: Pick<AccountUpdate, 'accountId' | 'allowed'>,
): AccountUpdate {
  const { name, blocked, metadata } = body
  const minAvailable = limitOf(body.min_available)
  const maxBalance = limitOf(body.max_balance)
  return {
    accountId,
    allowed,
    ...(name !== undefined && { name }),
    ...(blocked !== undefined && { blocked }),
    ...(metadata !== undefined && { metadata }),
    ...(minAvailable !== undefined && { minAvailable }),
    ...(maxBalance !== undefined && { maxBalance }),
  }
}

/** Undefined: not asked for. Null: unbounded. */
function limitOf(limit: number | null | undefined): bigint | null | undefined {
  return typeof limit === 'number' ? BigInt(limit) : limit
}
