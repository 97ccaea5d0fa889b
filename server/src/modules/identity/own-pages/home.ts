import { publicId } from '../../../platform/ids.ts'
import type { UserKind } from '../users/user.queries.ts'

/** The path of the pages that belong to a tenant's customers, or to its operators. */
export function ownPagesHome(tenantId: string, kind: UserKind = 'customer'): string {
  const home = `/account/${publicId('ten', tenantId)}`
  return kind === 'customer' ? home : `${home}/operator`
}
