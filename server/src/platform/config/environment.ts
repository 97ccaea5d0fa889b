import type { Surroundings } from './settings.ts'

/** The environment of this process. npm changes the directory; it says where it was called. */
export function surroundings(): Surroundings {
  return { env: process.env, directory: process.env['INIT_CWD'] ?? process.cwd() }
}

/** Colour and cursor codes are for a person at a terminal who did not decline them. */
export function wantsColour(stream: { readonly isTTY?: boolean }): boolean {
  const { CI, NO_COLOR, TERM } = process.env
  return stream.isTTY === true && !CI && !NO_COLOR && TERM !== 'dumb'
}
