/** Where the sealed secret of one-time codes stands: it opens in no other row. */
export function totpContext(tenantId: string, userId: string): string {
  return `identity.credentials|sealed_secret|${tenantId}|${userId}`
}
