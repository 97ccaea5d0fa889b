import type { FastifyBaseLogger } from 'fastify'

/** After an error that nobody caught nothing can be relied upon: the next start picks up the pieces. */
export function endOnFault(logger: FastifyBaseLogger): void {
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught')
    process.stderr.write(`countinghouse: ${error.stack ?? error.message}\n`)
    process.exit(1)
  })
}
