// Replacing a whole file so that a crash leaves the old or the new content, from the steps every disk has.
import { dirname } from 'node:path'
import type { Disk } from './disk.ts'

/** The steps, in an order that may stop anywhere. */
type Steps = Pick<Disk, 'open' | 'rename' | 'remove' | 'syncFolder'>

/** Replacements of one path wait for each other, for they share `<path>.tmp`; the last one asked for remains. */
export class FileReplacement {
  readonly #steps: Steps
  readonly #last = new Map<string, Promise<void>>()

  constructor(steps: Steps) {
    this.#steps = steps
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const before = this.#last.get(path) ?? Promise.resolve()
    const done = before.then(() => this.#replaceNow(path, bytes))
    const settled = done.catch(() => undefined)
    this.#last.set(path, settled)
    try {
      await done
    } finally {
      if (this.#last.get(path) === settled) this.#last.delete(path)
    }
  }

  async #replaceNow(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${path}.tmp`
    try {
      const file = await this.#steps.open(temporary, { create: true })
      try {
        await file.truncate(0)
        await file.write([bytes], 0)
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#steps.rename(temporary, path)
    } catch (error) {
      // The fault that is reported is the first; the leftover would only take up space until the next replacement.
      await this.#steps.remove(temporary).catch(() => undefined)
      throw error
    }
    await this.#steps.syncFolder(dirname(path))
  }
}
