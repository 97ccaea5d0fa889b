/**
 * As names are stored and looked up: `Ada ` and `ada` are one person. NUL, which the database takes
 * for no text at all, becomes a character that no name has.
 */
export function normalUsername(text: string): string {
  return text.replaceAll('\0', '\uFFFD').normalize('NFKC').trim().toLowerCase()
}

/** What a new name may be made of, once normal. */
export const USERNAME_PATTERN = '^[a-z0-9][a-z0-9._@+-]{2,63}$'

export function isUsername(text: string): boolean {
  return new RegExp(USERNAME_PATTERN).test(normalUsername(text))
}
