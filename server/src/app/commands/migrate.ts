import type { Settings } from '../../platform/config/settings.ts'
import { findDatabase } from '../database.ts'
import { migrateAll, migrationStatus } from '../schema.ts'
import type { Print } from './operator.ts'

export async function migrateDatabase(
  action: 'up' | 'status',
  settings: Settings,
  print: Print,
): Promise<void> {
  const { connection } = await findDatabase(settings)
  if (action === 'status') {
    const { pending, applied } = await migrationStatus(connection)
    if (settings.json) return print(JSON.stringify({ applied, pending }))
    return print([`${applied} applied, ${pending.length} pending`, ...pending].join('\n'))
  }
  const { applied, total } = await migrateAll(connection)
  if (settings.json) return print(JSON.stringify({ applied: total, new: applied }))
  print([`${total} applied, ${applied.length} of them now`, ...applied].join('\n'))
}
