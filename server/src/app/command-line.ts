import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { surroundings } from '../platform/config/environment.ts'
import {
  type Flags,
  SettingError,
  type Settings,
  readSettings,
} from '../platform/config/settings.ts'
import { StartError } from '../platform/start-error.ts'
import type { AskedClient } from './commands/clients.ts'
import { StoppedEarly } from './stop-signals.ts'

const DONE = 0
const FAILED = 1
const USAGE = 2

const EXIT_CODES = `
Exit codes: ${DONE} done, ${FAILED} failed, ${USAGE} wrong usage or setting.
Settings are flags or variables: COUNTINGHOUSE_PORT, COUNTINGHOUSE_DATA, DATABASE_URL,
COUNTINGHOUSE_ISSUER, COUNTINGHOUSE_GATEWAY_PORT, COUNTINGHOUSE_ROOT_KEY (variable only).`

/** Runs one command; answers the exit code of the process. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = new Command('countinghouse')
    .description('An open back office for payments and lending.')
    .version(packageJson.version)
    .exitOverride() // before any subcommand is added: they inherit it
    .addHelpText('after', EXIT_CODES)
  addRoles(program)
  addMigrate(program)
  addTenants(program)
  addClients(program)
  addKeys(program)
  addCustomers(program)
  addLedger(program)
  addDemo(program)
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true })
      return USAGE
    }
    await program.parseAsync([...args], { from: 'user' })
    return DONE
  } catch (error) {
    return report(error)
  }
}

function addRoles(program: Command): void {
  withSettings(program.command('start'))
    .description(
      'run everything: database, gateway, API and worker. An empty database is given sample data ' +
        'when the issuer is on this machine and NODE_ENV is not production',
    )
    .action(async (flags: Flags) => {
      const { start } = await import('./start.ts')
      await start(settingsOf(flags), {
        directory: surroundings().directory,
        out: process.stdout,
      })
    })
  for (const role of ['api', 'worker'] as const) {
    withSettings(program.command(role))
      .description(role === 'api' ? 'answer requests only' : 'do background work only')
      .action(async (flags: Flags) => {
        const { runRole } = await import('./role.ts')
        await runRole(role, settingsOf(flags))
      })
  }
}

function addMigrate(program: Command): void {
  withDatabase(program.command('migrate'))
    .description('bring the database up to date')
    .argument('[action]', 'up, or status to only look', 'up')
    .action(async (action: string, flags: Flags) => {
      const { migrateDatabase } = await import('./commands/migrate.ts')
      await migrateDatabase(chosen(action, ['up', 'status']), settingsOf(flags), print)
    })
}

function addTenants(program: Command): void {
  const tenant = program.command('tenant').description('make and list tenants')
  withDatabase(tenant.command('create'))
    .description('make a tenant with its books')
    .argument('<name>')
    .option('--mode <mode>', 'sandbox or live', 'sandbox')
    .option('--time-zone <zone>', "of the books' business days", 'UTC')
    .action(async (name: string, flags: Flags & { mode: string; timeZone: string }) => {
      const { makeTenant } = await import('./commands/tenants.ts')
      const mode = chosen(flags.mode, ['sandbox', 'live'])
      await makeTenant({ name, mode, timeZone: flags.timeZone }, settingsOf(flags), print)
    })
  withDatabase(tenant.command('list'))
    .description('list the tenants')
    .action(async (flags: Flags) => {
      const { printTenants } = await import('./commands/tenants.ts')
      await printTenants(settingsOf(flags), print)
    })
}

function addClients(program: Command): void {
  const client = program.command('client').description('make, list and renew API clients')
  withDatabase(client.command('create'))
    .description('make a client and print its secret, this once')
    .argument('<name>')
    .requiredOption('--tenant <id>', 'ten_…')
    .requiredOption('--scope <scopes>', 'separated by spaces')
    .option('--redirect-uri <uris...>', 'of an app that acts for customers; compared exactly')
    .option('--profile <profile>', 'standard or fapi2', 'standard')
    .option('--kind <kind>', 'service, third_party or first_party (default: by --redirect-uri)')
    .option('--jwks <file>', 'public keys of a client that signs instead of having a secret')
    .option('--jwks-uri <url>', 'https address of those keys')
    .action(async (name: string, flags: Flags & Omit<AskedClient, 'name'>) => {
      const { makeClient } = await import('./commands/clients.ts')
      await makeClient({ ...flags, name }, settingsOf(flags), print)
    })
  withDatabase(client.command('list'))
    .description('list the clients of a tenant')
    .requiredOption('--tenant <id>', 'ten_…')
    .action(async (flags: Flags & { tenant: string }) => {
      const { printClients } = await import('./commands/clients.ts')
      await printClients(flags.tenant, settingsOf(flags), print)
    })
  withDatabase(client.command('roll'))
    .description('give the sample clients new secrets and write credentials.json anew')
    .requiredOption('--all', 'all of them')
    .action(async (flags: Flags) => {
      const { rollSampleClients } = await import('./commands/roll-sample-clients.ts')
      await rollSampleClients(settingsOf(flags), print)
    })
}

function addKeys(program: Command): void {
  const keys = program.command('keys').description('look after the keys of this install')
  withDatabase(keys.command('rotate'))
    .description('make the next signing key: it is published now and signs in an hour')
    .requiredOption('--signing', 'the keys that sign access tokens')
    .option('--now', 'after a leak: it signs at once, and every live token is refused')
    .action(async (flags: Flags & { now?: boolean }) => {
      const { rotateKeys } = await import('./commands/keys.ts')
      await rotateKeys(flags.now ?? false, settingsOf(flags), print)
    })
}

function addCustomers(program: Command): void {
  const customer = program.command('customer').description('make people who sign in')
  withDatabase(customer.command('create'))
    .description('make a customer and print the password, this once')
    .argument('<username>')
    .requiredOption('--tenant <id>', 'ten_…')
    .option('--name <name>', 'as the bank calls the customer (default: the user name)')
    .option('--totp', 'with one-time codes as a second factor')
    .action(
      async (
        username: string,
        flags: Flags & { tenant: string; name?: string; totp?: boolean },
      ) => {
        const { makeCustomer } = await import('./commands/customers.ts')
        const { tenant, name, totp = false } = flags
        await makeCustomer({ username, tenant, name, totp }, settingsOf(flags), print)
      },
    )
}

function addLedger(program: Command): void {
  const ledger = program.command('ledger').description('look after the books')
  withDatabase(ledger.command('check'))
    .description('check that the books of a tenant, or of all, hold every rule')
    .option('--tenant <id>', 'ten_…')
    .action(async (flags: Flags & { tenant?: string }) => {
      const { printLedgerCheck } = await import('./commands/check-ledger.ts')
      await printLedgerCheck(flags.tenant, settingsOf(flags), print)
    })
}

function addDemo(program: Command): void {
  program
    .command('demo [tale]')
    .description(
      'walk through payments, refunds, history and books (`payments`, the default), on the server ' +
        'that runs on the data directory, or on one that is started for it and thrown away; or with ' +
        'an app that a customer lets into the bank (`banking`), always on one of its own. Every ' +
        'result is checked',
    )
    .option('--data <dir>', 'data directory (default: ./.countinghouse)')
    .option('--json', 'a JSON line per step on stdout')
    .action(async (tale: string | undefined, flags: Flags) => {
      const { runDemo } = await import('./demo/run-demo.ts')
      const named = chosen(tale ?? 'payments', ['payments', 'banking'])
      await runDemo(settingsOf(flags), process.stdout, named)
    })
}

function withDatabase(command: Command): Command {
  return command
    .option('--data <dir>', 'data directory (default: ./.countinghouse)')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: embedded)')
    .option('--json', 'one JSON document on stdout')
}

function withSettings(command: Command): Command {
  return withDatabase(command)
    .option('--port <port>', 'of the API (default: 4000)')
    .option('--gateway-port <port>', 'of the sandbox gateway (default: the port + 10)')
    .option('--issuer <origin>', 'public origin (default: http://127.0.0.1:PORT)')
    .option('--access-token-seconds <seconds>', 'life of access tokens, 900 at most (default: 900)')
    .option('--verbose', 'log to stderr too')
}

function settingsOf(flags: Flags): Settings {
  return readSettings(flags, surroundings())
}

function chosen<const Choice extends string>(given: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === given)
  if (found !== undefined) return found
  throw new SettingError(`"${given}"`, `is not possible here: ${choices.join(' or ')}`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function report(error: unknown): number {
  if (error instanceof StoppedEarly) return DONE
  if (error instanceof CommanderError) {
    // Help and version were asked for; everything else commander has explained on stderr already.
    return error.exitCode === 0 ? DONE : USAGE
  }
  if (error instanceof SettingError) return say(`${error.message}.`, USAGE)
  if (error instanceof StartError) return say(error.message, FAILED)
  return say(error instanceof Error ? (error.stack ?? error.message) : String(error), FAILED)
}

function say(text: string, code: number): number {
  process.stderr.write(`countinghouse: ${text}\n`)
  return code
}
