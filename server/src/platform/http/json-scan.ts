import type { FieldError } from '../errors.ts'

/**
 * What `JSON.parse` lets through and money must not: a second member of the same name (the proxy may
 * have read the other one), numbers that a double cannot hold, nesting and sizes that break what
 * comes later, and text that PostgreSQL refuses, which would fail a whole batch.
 *
 * One pass over the text, before it is parsed. It need not notice broken syntax: the parser does. It
 * must be right about every text that the parser accepts.
 */

export interface ScanLimits {
  readonly maxDepth: number
  readonly maxMembers: number
}

export interface ScanFault {
  /** Where in the text; `pointerAt` turns it into a JSON Pointer. */
  readonly offset: number
  readonly code: FieldError['code']
  readonly detail: string
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const IN_ARRAY = -1
const SMALL_OBJECT = 16 // up to here a look at each name beats making a set

/** The first fault of the text, or undefined. */
export function scanJson(text: string, limits: ScanLimits): ScanFault | undefined {
  const names: string[] = [] // of all open objects, innermost last
  const frames: number[] = [] // where the names of each open container begin, or IN_ARRAY
  const sets: (Set<string> | undefined)[] = []
  let members = 0
  const end = text.length
  for (let at = 0; at < end; at += 1) {
    const character = text.charCodeAt(at)
    switch (character) {
      case QUOTE: {
        const open = at
        const close = closingQuote(text, at)
        if (close === 0) return undefined // unterminated: the parser will say so
        const escaped = close < 0
        at = Math.abs(close)
        if (escaped) {
          const fault = faultOfEscapes(text, open, at)
          if (fault !== undefined) return fault
        }
        const start = frames.length === 0 ? IN_ARRAY : (frames[frames.length - 1] as number)
        if (start !== IN_ARRAY && isName(text, at + 1)) {
          const name = nameAt(text, open, at, escaped)
          if (isPoison(name, text, at + 1)) return notAllowed(open, 'this name is not allowed')
          if (isTaken(names, start, sets, frames.length, name)) {
            return notAllowed(open, 'this name occurs twice')
          }
          names.push(name)
        }
        break
      }
      case 0x7b: // {
      case 0x5b: // [
        if (frames.length >= limits.maxDepth) {
          return tooLarge(at, `at most ${limits.maxDepth} levels of nesting`)
        }
        frames.push(character === 0x7b ? names.length : IN_ARRAY)
        members += 1
        break
      case 0x7d: // }
      case 0x5d /* ] */: {
        const start = frames.pop()
        if (start !== undefined && start !== IN_ARRAY) {
          names.length = start
          if (sets.length > frames.length) sets.length = frames.length
        }
        break
      }
      case 0x2c: // ,
        members += 1
        if (members > limits.maxMembers) return tooLarge(at, `at most ${limits.maxMembers} members`)
        break
      default: {
        if (!startsNumber(character)) break
        const digits = scanNumber(text, at)
        if (typeof digits === 'object') return digits
        at += digits - 1
        break
      }
    }
  }
  return undefined
}

/** Where the string that opens here closes, negative if it holds an escape, 0 if it does not close. */
function closingQuote(text: string, open: number): number {
  let escaped = false
  for (let at = open + 1; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) return escaped ? -at : at
    if (character !== BACKSLASH) continue
    escaped = true
    at += 1
  }
  return 0
}

function startsNumber(character: number): boolean {
  return (character >= 0x30 && character <= 0x39) || character === 0x2d
}

const INTEGER = /-?\d+/y

/** How long the whole number is that stands here, or what is wrong with it. */
function scanNumber(text: string, at: number): number | ScanFault {
  INTEGER.lastIndex = at
  const digits = INTEGER.exec(text)?.[0]
  if (digits === undefined) return 1 // a lone minus: the parser says so
  const next = text.charCodeAt(at + digits.length) | 0x20
  if (next === 0x2e || next === 0x65) {
    return {
      offset: at,
      code: 'bad_format',
      detail: 'a whole number, without fraction or exponent',
    }
  }
  if (digits.length > 15 && !Number.isSafeInteger(Number(digits))) {
    return tooLarge(at, 'beyond the whole numbers that JSON carries exactly')
  }
  return digits.length
}

function isName(text: string, from: number): boolean {
  let at = from
  while (isSpace(text.charCodeAt(at))) at += 1
  return text.charCodeAt(at) === 0x3a // :
}

/** Names that would reach a prototype where objects are merged naively. */
function isPoison(name: string, text: string, from: number): boolean {
  if (name === '__proto__') return true
  return name === 'constructor' && /^\s*:\s*\{/.test(text.slice(from, from + 64))
}

function isSpace(character: number): boolean {
  return character === 0x20 || character === 0x0a || character === 0x0d || character === 0x09
}

function nameAt(text: string, open: number, close: number, escaped: boolean): string {
  if (!escaped) return text.slice(open + 1, close)
  try {
    return JSON.parse(text.slice(open, close + 1)) as string
  } catch {
    return text.slice(open + 1, close) // a broken escape: the parser refuses the whole text
  }
}

function isTaken(
  names: readonly string[],
  start: number,
  sets: (Set<string> | undefined)[],
  depth: number,
  name: string,
): boolean {
  if (names.length - start < SMALL_OBJECT) {
    for (let index = start; index < names.length; index += 1) if (names[index] === name) return true
    return false
  }
  const set = (sets[depth - 1] ??= new Set(names.slice(start)))
  if (set.has(name)) return true
  set.add(name)
  return false
}

/** Lone surrogates and control characters can only come in as escapes: raw ones fail before. */
function faultOfEscapes(text: string, open: number, close: number): ScanFault | undefined {
  for (let at = open + 1; at < close; at += 1) {
    if (text.charCodeAt(at) !== BACKSLASH) continue
    at += 1
    const kind = text.charAt(at)
    if (kind === 'b' || kind === 'f' || kind === 'r') return controlCharacter(open)
    if (kind !== 'u') continue
    const unit = Number.parseInt(text.slice(at + 1, at + 5), 16)
    at += 4
    if (unit < 0x20 && unit !== 0x0a && unit !== 0x09) return controlCharacter(open)
    if (unit >= 0xd800 && unit <= 0xdbff && isLowSurrogate(text, at + 1)) at += 6
    else if (unit >= 0xd800 && unit <= 0xdfff) {
      return { offset: open, code: 'bad_format', detail: 'half of a surrogate pair' }
    }
  }
  return undefined
}

function isLowSurrogate(text: string, at: number): boolean {
  return /^\\u[dD][c-fC-F][0-9a-fA-F]{2}$/.test(text.slice(at, at + 6))
}

function controlCharacter(offset: number): ScanFault {
  return { offset, code: 'bad_format', detail: 'no control characters but line feed and tab' }
}

function notAllowed(offset: number, detail: string): ScanFault {
  return { offset, code: 'not_allowed', detail }
}

function tooLarge(offset: number, detail: string): ScanFault {
  return { offset, code: 'too_large', detail }
}

/**
 * The JSON Pointer (RFC 6901, as a URI fragment) of what stands at an offset of the text. Walks the
 * text again, which only a refused request pays for.
 */
export function pointerAt(text: string, offset: number): string {
  const path: (string | number)[] = []
  const open: ('object' | 'array')[] = []
  for (let at = 0; at <= offset && at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) {
      const close = Math.abs(closingQuote(text, at))
      if (close === 0) break
      if (open.at(-1) === 'object' && isName(text, close + 1)) {
        path[path.length - 1] = nameAt(text, at, close, true)
      }
      at = close
    } else if (at < offset && (character === 0x7b || character === 0x5b)) {
      open.push(character === 0x7b ? 'object' : 'array')
      path.push(character === 0x7b ? '' : 0)
    } else if (character === 0x7d || character === 0x5d) {
      open.pop()
      path.pop()
    } else if (character === 0x2c && open.at(-1) === 'array') {
      path[path.length - 1] = (path.at(-1) as number) + 1
    }
  }
  return ['#', ...path.map(token)].join('/')
}

const MAX_POINTER_TOKEN = 64 // a name is the caller's text: no more of it than finds the place

function token(part: string | number): string {
  const text = String(part).slice(0, MAX_POINTER_TOKEN)
  return encodeURI(text.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')).replaceAll(
    '#',
    '%23',
  )
}
