import type { Exchange } from '../api.ts'

/**
 * What a customer holds in the hand, without its screen: it keeps cookies, follows redirects within
 * the bank, sends the form that stands open, and stops where it is sent to the app.
 */
export interface Browser {
  open(url: string): Promise<Landed>
  /** Answers the form of the page that stands open. */
  send(fields: Readonly<Record<string, string>>): Promise<Landed>
}

export interface Landed {
  readonly url: URL
  /** 0 where the browser was sent to another address than the bank's pages. */
  readonly status: number
  readonly text: string
}

interface BrowserOptions {
  readonly origin: string
  /** Where the app takes its customer back. */
  readonly callback: string
  readonly signal: AbortSignal
  readonly note: (exchange: Exchange) => void
}

const MAX_HOPS = 10

export function openBrowser({ origin, callback, signal, note }: BrowserOptions): Browser {
  const cookies = new Map<string, { readonly value: string; readonly path: string }>()
  let here = new URL(origin)

  async function ask(url: URL, form?: URLSearchParams): Promise<Response> {
    const cookie = [...cookies]
      .filter(([, { path }]) => url.pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie, ...(form !== undefined && { origin }) },
      ...(form !== undefined && { method: 'POST', body: form }),
      signal,
    })
    for (const header of response.headers.getSetCookie()) keep(header)
    const { pathname, search } = url
    note({
      method: form === undefined ? 'GET' : 'POST',
      path: `${pathname}${search}`,
      request: form === undefined ? undefined : withoutPassword(form),
      status: response.status,
      answer: response.headers.get('location') ?? '(a page)',
      times: 1,
    })
    return response
  }

  function keep(header: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? []
    const path = /;\s*path=([^;]+)/i.exec(header)?.[1] ?? '/'
    if (value === '') cookies.delete(name)
    else cookies.set(name, { value, path })
  }

  async function follow(url: URL, form?: URLSearchParams): Promise<Landed> {
    let response = await ask(url, form)
    let at = url
    for (let hop = 0; hop < MAX_HOPS; hop += 1) {
      const location = response.headers.get('location')
      const text = await response.text()
      if (location === null) {
        here = at
        return { url: at, status: response.status, text }
      }
      at = new URL(location, at)
      if (at.href.startsWith(callback)) return { url: at, status: 0, text: '' }
      response = await ask(at)
    }
    throw new Error(`more than ${MAX_HOPS} redirects, the last to ${at.href}`)
  }

  return {
    open: (url) => follow(new URL(url)),
    send: (fields) => follow(here, new URLSearchParams(fields)),
  }
}

function withoutPassword(form: URLSearchParams): string {
  const shown = new URLSearchParams(form)
  if (shown.has('password')) shown.set('password', '(not shown)')
  return decodeURIComponent(shown.toString())
}
