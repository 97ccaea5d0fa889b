import { spawnSync } from 'node:child_process'

/** `npm run check`: every check, also after one has failed, so that one run tells everything. */
const checks = ['format:check', 'lint', 'types', 'dead', 'generate:check']

const failed = checks.filter((name) => {
  console.log(`\n== ${name}`)
  return spawnSync('npm', ['run', '--silent', name], { stdio: 'inherit' }).status !== 0
})
console.log(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
