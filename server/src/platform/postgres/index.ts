export { lockDataDirectory, supervisorOf, type DataDirectoryLock } from './data-directory-lock.ts'
export { connectionTo, type Connection } from './probe.ts'
export { DATABASE, startEmbedded, type EmbeddedPostgres } from './start-embedded.ts'
