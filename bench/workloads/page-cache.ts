// What the operating system keeps of files in memory, as measurements want it: written back, or dropped.

import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Resolves when nothing is waiting to be written to a disk: whoever comes next does not pay for what came before. */
export async function writeBack(): Promise<void> {
  await promisify(execFile)('sync')
}

/**
 * Writes a file of `bytes` and deletes it again: whoever comes next gets that memory. A virtual machine hands free memory back to its host, and
 * the first to touch it again pays several times what a write costs otherwise; that would be who is measured, and how much of it by chance.
 */
export async function warmFreeMemory(folder: string, bytes: number): Promise<void> {
  const path = join(folder, 'warm')
  const megabytes = Math.ceil(bytes / 1_048_576)
  try {
    await promisify(execFile)('dd', ['if=/dev/zero', `of=${path}`, 'bs=1M', `count=${megabytes}`])
  } finally {
    rmSync(path, { force: true })
  }
}

/** Afterwards files are read from the disk. Throws where this process may not (it takes root, and a /proc that can be written). */
export async function dropPageCache(): Promise<void> {
  await writeBack()
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '1')
  } catch (error) {
    throw new Error('not measured: the page cache cannot be dropped here, which takes root', { cause: error })
  }
}
