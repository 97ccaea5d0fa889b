export { lockDataDirectory, supervisorOf, type DataDirectoryLock } from './data-directory-lock.ts'
export { connectionTo, type Connection } from './probe.ts'
export {
  DATABASE,
  findEmbedded,
  startEmbedded,
  type EmbeddedPostgres,
  type StartOptions,
} from './start-embedded.ts'
