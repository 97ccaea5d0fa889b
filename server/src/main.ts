import { runCommandLine } from './app/command-line.ts'

process.exitCode = await runCommandLine(process.argv.slice(2))
// What was opened is closed by now; an idle socket of somebody's library must not keep us.
process.exit()
