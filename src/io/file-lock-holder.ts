// Who holds a POSIX lock (fcntl) on a file. Java locks files so, and Node cannot even ask: on Linux the kernel's own list says it.

import { readdir, readFile, stat } from 'node:fs/promises'

export type LockHolder =
  | { readonly kind: 'nobody' }
  /** `pid` as this process sees it. */
  | { readonly kind: 'process'; readonly pid: number }
  /** This system does not tell. */
  | { readonly kind: 'unknown' }

const list = '/proc/locks'

export interface PosixLock {
  readonly pid: number
  /** `fd:01`, the device as the file system has it, which need not be what `stat` says (btrfs, overlays). */
  readonly device: string
  readonly inode: bigint
}

/** The locks that are held, from the text of /proc/locks. */
export function posixLocksIn(text: string): PosixLock[] {
  const locks: PosixLock[] = []
  for (const line of text.split('\n')) {
    // "1: POSIX  ADVISORY  WRITE 4711 fd:01:99 0 EOF"; one that waits has "->" before its kind.
    const match = /^\d+:\s+POSIX\s+\S+\s+\S+\s+(-?\d+)\s+([0-9a-f]+:[0-9a-f]+):(\d+)\s/.exec(line)
    if (match !== null) locks.push({ pid: Number(match[1]), device: match[2]!, inode: BigInt(match[3]!) })
  }
  return locks
}

/** A file that is absent is held by nobody. A process in another container may stay unseen. */
export async function lockHolderOf(path: string): Promise<LockHolder> {
  let file: { readonly dev: bigint; readonly ino: bigint }
  try {
    file = await stat(path, { bigint: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'nobody' }
    return { kind: 'unknown' }
  }
  let text: string
  try {
    text = await readFile(list, 'utf8')
  } catch {
    return { kind: 'unknown' }
  }
  for (const { pid, device, inode } of posixLocksIn(text)) {
    if (inode !== file.ino) continue
    if (device === deviceName(file.dev) || (await mayHaveOpen(pid, file))) return { kind: 'process', pid }
  }
  return { kind: 'nobody' }
}

/** As Linux puts a device's two numbers into one (makedev), in the words of /proc/locks. */
function deviceName(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn)
  return [major, minor].map((number) => number.toString(16).padStart(2, '0')).join(':')
}

/** Whether the process has the file open; when that cannot be seen it may. */
async function mayHaveOpen(pid: number, file: { readonly dev: bigint; readonly ino: bigint }): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  try {
    for (const name of await readdir(folder)) {
      const open = await stat(`${folder}/${name}`, { bigint: true }).catch(() => null)
      if (open !== null && open.dev === file.dev && open.ino === file.ino) return true
    }
    return false
  } catch {
    return true
  }
}
