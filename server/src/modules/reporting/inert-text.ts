// What a spreadsheet takes for the beginning of a formula, also after white space and in full width.
const FORMULA = /^\s*?[=+\-@\t\r＝＋－＠]/u

/**
 * Free text that no spreadsheet runs: with an apostrophe before what would begin a formula. For texts
 * that people write, never for amounts, ids and dates, which must stay what they are.
 */
export function inertText(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}
