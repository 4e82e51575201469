// How fast the disk itself is, by the calls that a broker makes of it: what no broker on this machine can beat. Takes a few seconds and up
// to 600 MB.

import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const KiB = 1024
const MiB = 1024 * KiB
const secondsEach = 1
const bytesMax = 512 * MiB

/** By what is measured, with its unit. The folder is on the disk in question, and is left as it was. */
export function diskSpeed(folder: string): Record<string, number> {
  const path = join(folder, 'disk-speed')
  try {
    writes(path, { bytes: MiB, sync: false })
    const cached = writes(path, { bytes: MiB, sync: false })
    const large = writes(path, { bytes: MiB, sync: true })
    const small = writes(path, { bytes: 16 * KiB, sync: true })
    return {
      'page cache, 1 MiB writes, MB/s': cached.megabytesPerSecond,
      'fdatasync after each 1 MiB, MB/s': large.megabytesPerSecond,
      'fdatasync after each 16 KiB, MB/s': small.megabytesPerSecond,
      'fdatasync after each 16 KiB, 1/s': small.perSecond,
      'cold sequential read, MB/s': coldRead(path),
    }
  } finally {
    rmSync(path, { force: true })
  }
}

interface Speed {
  readonly megabytesPerSecond: number
  readonly perSecond: number
}

/** Appends to a new file, one call after the other. What lies in the page cache at the end is written out before the next measurement. */
function writes(path: string, { bytes, sync }: { readonly bytes: number; readonly sync: boolean }): Speed {
  rmSync(path, { force: true })
  const file = openSync(path, 'w')
  try {
    const chunk = Buffer.alloc(bytes, 'x')
    const count = repeated(bytes, () => {
      writeSync(file, chunk)
      if (sync) fdatasyncSync(file)
    })
    fsyncSync(file)
    return count
  } finally {
    closeSync(file)
  }
}

/** MB/s of a file that the page cache does not hold. */
function coldRead(path: string): number {
  writes(path, { bytes: MiB, sync: false })
  // Node has no call to drop a file from the page cache; dd, without copying anything, makes it.
  execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' })
  const file = openSync(path, 'r')
  try {
    const target = Buffer.alloc(MiB)
    return repeated(MiB, () => readSync(file, target) === MiB).megabytesPerSecond
  } finally {
    closeSync(file)
  }
}

/** Until the time is up, or `step` answers that there is no more, or `bytesMax`. */
function repeated(bytes: number, step: () => boolean | void): Speed {
  const started = performance.now()
  const elapsed = (): number => (performance.now() - started) / 1000
  let count = 0
  while (elapsed() < secondsEach && count * bytes < bytesMax && step() !== false) count += 1
  const perSecond = count / elapsed()
  return { megabytesPerSecond: (perSecond * bytes) / 1e6, perSecond }
}
