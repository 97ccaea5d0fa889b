/** As names are stored and looked up: `Ada ` and `ada` are one person. */
export function normalUsername(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase()
}

/** What a new name may be made of, once normal. */
export const USERNAME_PATTERN = '^[a-z0-9][a-z0-9._@+-]{2,63}$'

export function isUsername(text: string): boolean {
  return new RegExp(USERNAME_PATTERN).test(normalUsername(text))
}
