/** The one process of all pure tests: imports the files that the runner chose. */

const VARIABLE = 'COUNTINGHOUSE_TEST_UNIT_FILES'

export function unitFilesToEnv(files: readonly string[]): void {
  process.env[VARIABLE] = JSON.stringify(files)
}

if (import.meta.main) {
  const files = JSON.parse(process.env[VARIABLE] ?? '[]') as string[]
  for (const file of files) await import(file)
}
