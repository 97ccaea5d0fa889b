import assert from 'node:assert/strict'
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rm,
  symlink,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { firstLine, startProcess } from '../../../test/support/data-directory.ts'
import { findBinaries, makeLinks, packageDirectory } from './binaries.ts'
import { serverUser } from './server-user.ts'

const LIBRARY = 'native/lib/libicui18n.so.60'
const skip = process.getuid?.() === 0 ? false : 'only root can lend PostgreSQL another user'
let root: string
let bare: string // the package as npm leaves it when install scripts are blocked: without links

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'countinghouse-binaries-'))
  await chmod(root, 0o755)
  bare = join(root, 'closed', 'package')
  await mkdir(join(root, 'closed'), { mode: 0o700 })
  await cp(packageDirectory(), bare, { recursive: true, filter: noLinks })
})

after(() => rm(root, { recursive: true, force: true }))

test('the library links are made when no install script did, and repaired', async () => {
  await makeLinks(bare)
  assert.equal(await readlink(join(bare, LIBRARY)), 'libicui18n.so.60.2')
  await rm(join(bare, LIBRARY))
  await symlink('libnowhere.so', join(bare, LIBRARY))
  await Promise.all([makeLinks(bare), makeLinks(bare)])
  assert.equal(await readlink(join(bare, LIBRARY)), 'libicui18n.so.60.2')
})

test('a platform without package is refused with the way out', () => {
  assert.throws(() => packageDirectory('linux-riscv64'), {
    name: 'StartError',
    message: /No embedded PostgreSQL for linux-riscv64.*Set DATABASE_URL/,
  })
})

test('programs that the other user cannot reach are copied to where it can', { skip }, async () => {
  const user = await serverUser(join(root, 'pg'))
  const copies = join(root, 'copies')
  const first = await findBinaries(root, user, bare, copies)
  assert.equal(first.major, 18)
  assert.ok(first.postgres.startsWith(join(copies, 'postgresql-18.')))
  assert.deepEqual(await findBinaries(root, user, bare, copies), first)
  assert.equal((await readdir(copies)).length, 1, 'one copy, and nothing unfinished')
})

test('where no copy can be reached either, the closed directory is named', { skip }, async () => {
  const user = await serverUser(join(root, 'pg'))
  const closed = join(root, 'closed')
  await assert.rejects(findBinaries(root, user, bare, join(closed, 'copies')), {
    name: 'StartError',
    message: new RegExp(`user ${user?.name} may not enter ${closed} .*chmod o\\+x ${closed}`),
  })
})

test('an ordinary user whose node_modules is read-only uses a copy', { skip }, async (t) => {
  const nobody = { uid: 65_534, gid: 65_534 }
  const readOnly = join(root, 'read-only')
  const dataDir = join(root, 'data')
  await cp(bare, readOnly, { recursive: true, filter: noLinks })
  await mkdir(dataDir, { mode: 0o700 })
  await chown(dataDir, nobody.uid, nobody.gid)
  const module = new URL('binaries.ts', import.meta.url).href
  const child = startProcess(
    t,
    dataDir,
    `const { findBinaries } = await import(${JSON.stringify(module)})
    console.log((await findBinaries(dataDir, undefined, ${JSON.stringify(readOnly)})).postgres)`,
    nobody,
  )
  assert.ok((await firstLine(child)).startsWith(join(dataDir, 'postgresql-18.')))
})

async function noLinks(path: string): Promise<boolean> {
  return !(await lstat(path)).isSymbolicLink()
}
