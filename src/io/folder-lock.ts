// An exclusive hold on a folder by a listening Unix socket in it. Node has no flock; a socket, unlike a pid file, stops
// answering the moment its process dies, in whatever way. (Through the file system it is also seen from other
// containers that mount the folder, which an abstract socket is not.)
//
// Every contender binds a socket under a name of its own, listens, and only then looks whether another one answers. Of
// two contenders at least one sees the other, so never both hold; no name is ever reused, so a leftover can be deleted
// without racing for it. When both see each other, both step back and try again after a random while.
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { mkdir, mkdtemp, readdir, realpath, rm, stat, symlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { DiskLock } from './disk.ts'

const namePattern = /^\.lock-[0-9a-f]{16}$/
/** A holder is met on every attempt, another contender seldom twice. */
const attempts = 4
const stepBackMsMax = 25
/** sun_path is 104 bytes on macOS, 108 on Linux, the closing zero included. */
const socketPathBytesMax = 103

/** Null when someone else holds the folder. */
export async function lockFolder(folder: string): Promise<DiskLock | null> {
  for (let attempt = 1; ; attempt += 1) {
    const lock = await contend(await realpath(folder))
    if (lock !== null || attempt === attempts) return lock
    await wait(randomInt(1, stepBackMsMax))
  }
}

async function contend(folder: string): Promise<DiskLock | null> {
  const name = `.lock-${randomBytes(8).toString('hex')}`
  let home = folder
  let server: Server
  try {
    server = await withShortPath(home, (short) => listen(join(short, name)))
  } catch (error) {
    if (!cannotHoldSockets(error)) throw error
    home = await standInFor(folder)
    server = await withShortPath(home, (short) => listen(join(short, name)))
  }
  const release = () => close(server, join(home, name))
  try {
    const leftovers: string[] = []
    for (const other of await readdir(home)) {
      if (other === name || !namePattern.test(other)) continue
      if (await withShortPath(home, (short) => answers(join(short, other)))) {
        await release()
        return null
      }
      leftovers.push(other)
    }
    // A holder that has gone by now may have taken this socket, not yet listening, for a leftover of a dead process.
    if (!(await exists(join(home, name)))) {
      await release()
      return null
    }
    for (const leftover of leftovers) await rm(join(home, leftover), { force: true })
  } catch (error) {
    await release()
    throw error
  }
  return { release }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.unref()
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      // Failing to accept changes nothing: who could connect has its answer.
      server.on('error', () => undefined)
      resolve(server)
    })
  })
}

/** Only a socket nobody listens on refuses; anything else (a full backlog, say) is somebody. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')
    })
  })
}

async function close(server: Server, path: string): Promise<void> {
  if (!server.listening) return
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  await rm(path, { force: true })
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}

function cannotHoldSockets(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'EPERM'
}

/** A folder on the local disk that stands for one on a file system without sockets (some shared mounts). */
async function standInFor(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true })
  const standIn = join(tmpdir(), `odradek-${createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 16)}`)
  await mkdir(standIn, { recursive: true, mode: 0o700 })
  return standIn
}

/** Socket addresses are short; a deep folder is reached through a symbolic link for as long as `use` takes. */
async function withShortPath<T>(folder: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(join(folder, '.lock-0123456789abcdef')) <= socketPathBytesMax) return use(folder)
  const around = await mkdtemp(join(tmpdir(), 'odradek-'))
  try {
    const short = join(around, 'l')
    await symlink(folder, short)
    return await use(short)
  } finally {
    await rm(around, { recursive: true, force: true })
  }
}
