const FEATURES =
  'accelerometer camera display-capture geolocation gyroscope magnetometer microphone payment ' +
  'publickey-credentials-create publickey-credentials-get usb'
const FEATURES_OFF = permissionsPolicy(false)

/** What a page may use of its browser: nothing, or passkeys. */
export function permissionsPolicy(hasPasskeys: boolean): string {
  return FEATURES.split(' ')
    .map((name) => `${name}=(${hasPasskeys && name.startsWith('publickey') ? 'self' : ''})`)
    .join(', ')
}

/** What every answer carries. A page with scripts of its own replaces the content policy. */
export function securityHeaders(issuer: string): Readonly<Record<string, string>> {
  const https = issuer.startsWith('https:')
  return {
    ...(https && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': FEATURES_OFF,
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  }
}
