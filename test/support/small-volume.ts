// A file system of its own for a test: a small tmpfs, which a file beside the data can fill.

import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MIB = 1024 * 1024

/** A volume of its own, with room for a file that fills it. */
export class SmallVolume {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Null, with the reason, where this user may not mount one. */
  static mount(sizeMiB: number): SmallVolume | string {
    if (process.platform !== 'linux') return 'mounting a tmpfs needs Linux'
    const path = mkdtempSync(join(tmpdir(), 'odradek-full-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', path], { stdio: 'pipe' })
      return new SmallVolume(path)
    } catch (error) {
      rmSync(path, { recursive: true })
      return `this user may not mount a tmpfs: ${String((error as { stderr?: Buffer }).stderr).trim()}`
    }
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path)
    return bavail * bsize
  }

  get data(): string {
    return join(this.path, 'data')
  }

  get #filler(): string {
    return join(this.path, 'filler')
  }

  /** Another program takes everything. */
  fill(): void {
    const file = openSync(this.#filler, 'a')
    for (const size of [MIB, 4096]) {
      const piece = Buffer.alloc(size)
      try {
        while (writeSync(file, piece) === size);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    }
    closeSync(file)
  }

  empty(): void {
    rmSync(this.#filler, { force: true })
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.path])
    rmSync(this.path, { recursive: true, force: true })
  }
}
