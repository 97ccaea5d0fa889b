import { isLeakedPassword } from './leaked-passwords.ts'

/**
 * What a password may be (NIST SP 800-63B §3.1.1.2): long enough, and none that is tried first. No
 * rule about kinds of characters: they make passwords worse, not better.
 */
export const MIN_PASSWORD_CHARS = 12
export const MAX_PASSWORD_CHARS = 256

/** Why this password would be guessed, in words for whoever chose it; undefined when it would not. */
export async function passwordFault(
  password: string,
  username: string,
): Promise<string | undefined> {
  const characters = [...password.normalize('NFC')]
  if (characters.length < MIN_PASSWORD_CHARS) {
    return `It needs at least ${MIN_PASSWORD_CHARS} characters.`
  }
  if (characters.length > MAX_PASSWORD_CHARS) {
    return `It can have at most ${MAX_PASSWORD_CHARS} characters.`
  }
  const plain = password.toLowerCase()
  if (new Set(plain).size < MIN_DIFFERENT) return 'It repeats a few characters.'
  if (isRepetition(plain)) return 'It repeats one word.'
  if (username.length >= 4 && plain.includes(username)) return 'It holds the user name.'
  if (await isTriedFirst(plain)) return 'It is one of the passwords that are tried first.'
  if (isWalk(plain)) return 'It follows the keyboard or the alphabet.'
  return undefined
}

const MIN_DIFFERENT = 5

async function isTriedFirst(plain: string): Promise<boolean> {
  const letters = lettersOf(plain)
  if (PHRASES.has(letters) || (await isLeakedPassword(plain))) return true
  return letters.length >= MIN_WORD && (await isLeakedPassword(letters))
}

const MIN_WORD = 4 // below, three letters between digits of chance would count as a word

function isRepetition(text: string): boolean {
  // A text that is a repetition is found within its own double, before the end.
  return `${text}${text}`.indexOf(text, 1) < text.length
}

// What is left of `P4ssw0rd-2026!` for a guesser, who tries these dressings first.
function lettersOf(text: string): string {
  const core = text.replaceAll(/^[^a-z]+|[^a-z]+$/g, '')
  const undressed = [...core].map((character) => LEET[character] ?? character).join('')
  return undressed.replaceAll(/[^a-z]/g, '')
}

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'yxcvbnm',
]
const STEPS = new Set(
  ROWS.flatMap((row) => [row, [...row].toReversed().join('')]).flatMap((row) =>
    [...row].slice(1).map((character, at) => `${row.charAt(at)}${character}`),
  ),
)

/** Whether nearly every character follows the one before on a keyboard or in the alphabet. */
function isWalk(text: string): boolean {
  const steps = [...text]
    .slice(1)
    .filter((character, at) => STEPS.has(`${text.charAt(at)}${character}`))
  return steps.length >= (text.length - 1) * WALKED
}

const WALKED = 0.7 // below: `asdfghjkl2026` passes; above: words with a few neighbours are refused

/**
 * Phrases that guessers of long passwords begin with. The kept list is of leaked passwords, nearly
 * all of them shorter than ours may be, and says little about these.
 */
const PHRASES: ReadonlySet<string> = new Set(
  (
    'passwordone passwordpassword mypassword thepassword yourpassword newpassword secretpassword ' +
    'defaultpassword testpassword temppassword changemenow changeit letmeinnow letmeinplease ' +
    'welcomehome administration superadmin superuser iloveyouforever iloveyousomuch trustnoone ' +
    'manchesterunited qwertyuiopasdfghjkl qazwsxedc topsecret correcthorsebatterystaple opensesame ' +
    'sommerzeit fruehling herbst passwort motdepasse contrasena wachtwoord haslo parola senha ' +
    'geheim geheimnis hallohallo'
  ).split(' '),
)
