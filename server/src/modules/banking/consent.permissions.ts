/** What a customer can let an app do, in the words of the consent page. */
export const permissions = {
  'accounts:read': 'See the names, numbers and status of these accounts.',
  'balance:read': 'See how much is in these accounts.',
  'transactions:read': 'See what was paid into and out of these accounts.',
  'transfer:write':
    'Transfer money from these accounts, within the limits below, and keep a list of payees.',
  'consents:read': 'See what you have allowed this app.',
  'consents:write': 'Withdraw what you have allowed this app, and ask you for more.',
} as const

export type Permission = keyof typeof permissions
export const permissionNames = Object.keys(permissions) as readonly Permission[]

export function isPermission(scope: string): scope is Permission {
  return Object.hasOwn(permissions, scope)
}
