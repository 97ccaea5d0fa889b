/**
 * `npm run bench`: what a payment costs, measured over HTTP on a PostgreSQL of its own. The README
 * beside this file says what is measured and how to read the report.
 *
 * The processes it starts are this file again under a role, so that each one's CPU time is its own
 * and none loads code that it does not need.
 */
const roles: Readonly<Record<string, () => Promise<{ run: () => Promise<void> }>>> = {
  serve: () => import('./serve.ts'),
  generate: () => import('./generate.ts'),
  naive: () => import('./naive-ledger.ts'),
}

const role = roles[process.argv[2] ?? ''] ?? (() => import('./run-bench.ts'))
await (await role()).run()
