/**
 * The passwords that lists of leaked ones are headed by, nearly fifty thousand of them, as kept by
 * the zxcvbn project. They are loaded when somebody first chooses a password: half a megabyte that
 * most processes never need.
 */
let list: Promise<ReadonlySet<string>> | undefined

/** `text` in lower case. */
export async function isLeakedPassword(text: string): Promise<boolean> {
  list ??= load()
  return (await list).has(text)
}

async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'])
}
