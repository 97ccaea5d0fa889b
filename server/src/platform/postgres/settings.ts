import { totalmem } from 'node:os'

export type Settings = Readonly<Record<string, string>>

const MB = 1024 * 1024

/**
 * What suits a ledger on a machine that it shares with the service: many small commits, few
 * connections, nothing lost. An operator overrides these with ALTER SYSTEM; the file they are
 * written to is read before PostgreSQL's own.
 */
export function tunedSettings(memoryBytes = availableMemory()): Settings {
  const sharedMegabytes = Math.min(1024, Math.max(32, Math.floor((memoryBytes * 0.15) / MB)))
  return {
    shared_buffers: `${sharedMegabytes}MB`,
    max_connections: '60',
    // systemd removes the POSIX shared memory of a user who has logged out, and with it the server.
    dynamic_shared_memory_type: 'mmap',
    // Each checkpoint is followed by full images of all pages it touches again: seldom, and spread out.
    checkpoint_timeout: '15min',
    checkpoint_completion_target: '0.9',
    max_wal_size: '2GB', // recovery after a crash reads at most this: some 20 s, and the disk must have it
    min_wal_size: '256MB',
    wal_compression: 'on',
    wal_buffers: '16MB',
    random_page_cost: '1.1', // flash; the default of 4 makes the planner shun index scans
    // A queue's dead rows slow its claims: look every 15 s instead of once a minute.
    autovacuum_naptime: '15s',
    // Values of parameters and of violated keys are our customers' data; the log is not for them.
    log_parameter_max_length_on_error: '0',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] %q%a ',
    log_timezone: 'UTC',
    timezone: 'UTC',
  }
}

// A container may use less than the machine has; 0 means that Node does not know of a limit.
function availableMemory(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
}

/** The text of a configuration file with these settings. */
export function settingsFile(settings: Settings): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`,
  )
  return [
    '# Written by Countinghouse at every start: changes made here are lost.',
    '# To override a setting: ALTER SYSTEM SET name = value, then start again.',
    ...lines,
    '',
  ].join('\n')
}

/** Off in any of these, and an answered payment may be gone after a power cut. */
export const durabilitySettings = ['fsync', 'full_page_writes', 'synchronous_commit'] as const
