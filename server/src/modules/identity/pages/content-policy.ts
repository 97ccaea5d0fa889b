/**
 * The content policy of pages: nothing but our own stylesheet, nowhere to send a form but here and
 * to the app that the person came from. `script-src` stands empty but on the pages of passkeys, which
 * have our script: a page of the library that posts itself adds the hash of its one script.
 */
const FIXED = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
]

/** `targets`: URIs whose origins a form may lead to, by its answer's redirects too. */
export function contentPolicy(targets: readonly string[] = [], hasScript = false): string {
  const script = hasScript ? "script-src 'self'" : 'script-src'
  return [...FIXED, script, `form-action ${["'self'", ...sourcesOf(targets)].join(' ')}`].join('; ')
}

/** The same policy with more places that a form may lead to. */
export function allowTargets(policy: string, targets: readonly string[]): string {
  const sources = sourcesOf(targets)
  if (sources.length === 0) return policy
  return policy.replace(/form-action [^;]*/, (directive) => [directive, ...sources].join(' '))
}

// A native app's address has no origin, only a scheme.
function sourcesOf(uris: readonly string[]): string[] {
  const sources = uris.flatMap((uri) => {
    const url = URL.parse(uri)
    if (url === null) return []
    return [url.origin === 'null' ? url.protocol : url.origin]
  })
  return [...new Set(sources)]
}
