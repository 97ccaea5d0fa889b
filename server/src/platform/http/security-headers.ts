const FEATURES_OFF =
  'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), ' +
  'magnetometer=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()'

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
