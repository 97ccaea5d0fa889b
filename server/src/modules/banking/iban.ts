/** ISO 13616: country, two check digits, up to 30 letters and digits. */
const IBAN = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/

/** As it is kept, without spaces; undefined when its check digits do not fit (ISO 7064, mod 97-10). */
export function normalIban(text: string): string | undefined {
  const iban = text.replaceAll(' ', '').toUpperCase()
  if (!IBAN.test(iban)) return undefined
  let rest = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    for (const digit of Number.parseInt(character, 36).toString()) {
      rest = (rest * 10 + Number(digit)) % 97
    }
  }
  return rest === 1 ? iban : undefined
}
