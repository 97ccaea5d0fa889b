import { checkLedger } from '../../modules/ledger/index.ts'
import type { Settings } from '../../platform/config/settings.ts'
import { publicId } from '../../platform/ids.ts'
import { StartError } from '../../platform/start-error.ts'
import { type Print, tenantOf, withPools } from './operator.ts'

/**
 * Checks the books of one tenant, or of all, beside the running service. A line per broken rule.
 * @throws StartError when one is broken, so that a script sees it in the exit code.
 */
export async function printLedgerCheck(
  tenant: string | undefined,
  settings: Settings,
  print: Print,
): Promise<void> {
  const { violations, seen } = await withPools(settings, async (pools) => {
    const tenantId = tenant === undefined ? null : await tenantOf(pools, tenant)
    return await checkLedger(pools.report, { tenantId })
  })
  for (const { invariant, rule, tenantId, object, found } of violations) {
    const line = { invariant, rule, tenant_id: publicId('ten', tenantId), object, found }
    print(settings.json ? JSON.stringify(line) : Object.values(line).join('  '))
  }
  const looked = Object.entries(seen).map(([what, count]) => `${count} ${what}`)
  if (violations.length > 0) throw new StartError(`The books break ${violations.length} rules.`)
  if (!settings.json) print(`The books hold: ${looked.join(', ')} checked.`)
}
