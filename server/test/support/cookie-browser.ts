/**
 * A browser without a screen: keeps cookies by their path, follows redirects on its own origin, and
 * stops where it is sent elsewhere.
 */
export interface CookieBrowser {
  /** Opens an address and follows; answers the page, or the address of another site. */
  open(url: string): Promise<Landed>
  /** Posts a form to the address of the page that stands open, as a browser would. */
  send(
    fields: Readonly<Record<string, string | readonly string[]>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Landed>
  /** One request with the cookies, nothing followed. */
  request(url: string, init?: RequestInit): Promise<Response>
  readonly cookies: ReadonlyMap<string, Cookie>
}

export interface Cookie {
  readonly value: string
  readonly path: string
  /** As it was set. */
  readonly header: string
}

export interface Landed {
  readonly url: URL
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

const MAX_HOPS = 10

export function cookieBrowser(origin: string): CookieBrowser {
  const cookies = new Map<string, Cookie>()
  let here = new URL(origin)

  async function request(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url)
    const cookie = [...cookies]
      .filter(
        ([, { path }]) => pathname === path || path === '/' || pathname.startsWith(`${path}/`),
      )
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
    const headers = { accept: 'text/html,*/*;q=0.8', cookie, ...(init.headers as object) }
    const response = await fetch(url, { redirect: 'manual', ...init, headers })
    for (const header of response.headers.getSetCookie()) keep(header)
    return response
  }

  function keep(header: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? []
    const path = /;\s*path=([^;]+)/i.exec(header)?.[1] ?? '/'
    const expires = /;\s*expires=([^;]+)/i.exec(header)?.[1]
    if (expires !== undefined && new Date(expires).getTime() <= Date.now()) cookies.delete(name)
    else cookies.set(name, { value, path, header })
  }

  async function follow(first: Response, from: URL): Promise<Landed> {
    let response = first
    let url = from
    for (let hop = 0; hop < MAX_HOPS; hop += 1) {
      const location = response.headers.get('location')
      if (location === null || response.status < 300 || response.status > 399) {
        here = url
        const { status, headers } = response
        return { url, status, headers, text: await response.text() }
      }
      await response.body?.cancel()
      url = new URL(location, url)
      if (url.origin !== origin) return { url, status: 0, headers: response.headers, text: '' }
      response = await request(url.href)
    }
    throw new Error(`more than ${MAX_HOPS} redirects, last to ${url.href}`)
  }

  return {
    cookies,
    request,
    open: async (url) => await follow(await request(url), new URL(url)),
    async send(fields, headers = { origin, 'sec-fetch-site': 'same-origin' }) {
      const body = new URLSearchParams()
      for (const [name, values] of Object.entries(fields)) {
        for (const value of [values].flat()) body.append(name, value)
      }
      return await follow(await request(here.href, { method: 'POST', body, headers }), here)
    },
  }
}
