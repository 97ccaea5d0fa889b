import { readFile, readdir, readlink } from 'node:fs/promises'
import { basename } from 'node:path'

export interface PortOwner {
  readonly pid: number
  /** Name of its program. */
  readonly name: string
}

/** Who listens on a TCP port of this machine, where Linux tells us; a guess that finds nobody is fine. */
export async function ownerOfPort(port: number): Promise<PortOwner | undefined> {
  try {
    const sockets = new Set(await listeningSockets(port))
    if (sockets.size === 0) return undefined
    for (const name of await readdir('/proc')) {
      if (/^\d+$/.test(name) && (await holdsOne(name, sockets))) {
        return { pid: Number(name), name: await programOf(name) }
      }
    }
  } catch {
    // Another system, or files that are not for us.
  }
  return undefined
}

const LISTENING = '0A'

// proc_pid_net(5): local address in hexadecimal, state, and the socket's inode in the tenth column.
async function listeningSockets(port: number): Promise<string[]> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  return tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
      return local.endsWith(suffix) && state === LISTENING ? [`socket:[${inode}]`] : []
    }),
  )
}

async function holdsOne(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  const names = await readdir(folder).catch((): string[] => [])
  for (const name of names) {
    if (sockets.has(await readlink(`${folder}/${name}`).catch(() => ''))) return true
  }
  return false
}

async function programOf(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return basename(text.split('\0')[0] ?? '') || 'another program'
}
