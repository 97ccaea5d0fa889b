import type { FastifyReply, FastifyRequest } from 'fastify'

/** What a client would like (RFC 7240). A preference is never an error: unknown ones are ignored. */
export interface Preferences {
  /** Seconds to hold the answer until the object changes, at most 20. */
  readonly wait: number | undefined
  readonly respondAsync: boolean
  readonly returnMinimal: boolean
}

const MAX_WAIT_S = 20 // below the handler's 25 s, or the wait ends as a 503

export function preferencesOf({ headers }: Pick<FastifyRequest, 'headers'>): Preferences {
  const header = headers['prefer']
  if (header === undefined) return NONE
  return parsePreferences([header].flat().join(','))
}

const NONE: Preferences = { wait: undefined, respondAsync: false, returnMinimal: false }

// A name, perhaps a value (token or quoted string), perhaps parameters, which none of ours has.
const PREFERENCE =
  /([!#$%&'*+.^_`|~0-9a-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?(?:\s*;[^,]*)?\s*(?:,|$)/gi

export function parsePreferences(header: string): Preferences {
  const given = new Map<string, string>()
  for (const [, name = '', quoted, plain] of header.matchAll(PREFERENCE)) {
    const key = name.toLowerCase()
    // "If any preference is specified more than once, only the first instance is to be considered."
    if (!given.has(key)) given.set(key, quoted ?? plain ?? '')
  }
  return {
    wait: secondsOf(given.get('wait')),
    respondAsync: given.has('respond-async'),
    returnMinimal: given.get('return') === 'minimal',
  }
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined
  return Math.min(Number(text), MAX_WAIT_S)
}

/** Says in the answer that a preference was honoured. */
export function markApplied(reply: FastifyReply, preference: string): void {
  const before = reply.getHeader('preference-applied')
  reply.header(
    'preference-applied',
    before === undefined ? preference : `${String(before)}, ${preference}`,
  )
}
