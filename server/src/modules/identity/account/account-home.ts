import { publicId } from '../../../platform/ids.ts'

/** The path of the pages that belong to a tenant's customers. */
export function accountHome(tenantId: string): string {
  return `/account/${publicId('ten', tenantId)}`
}
