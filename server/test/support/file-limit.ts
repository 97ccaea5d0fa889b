/**
 * Preloaded into each test process. A test that is too slow fails by itself, but its file would live on
 * as long as anything it started does: a socket, a pool, a timer.
 */

const LIMIT_MS = 300_000

const watchdog = setTimeout(() => {
  const open = [...new Set(process.getActiveResourcesInfo())].join(', ')
  console.error(`This file has run for ${LIMIT_MS / 1000} s and something is still open: ${open}.`)
  process.exit(1)
}, LIMIT_MS)
watchdog.unref()
