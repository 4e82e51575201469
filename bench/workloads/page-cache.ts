// What the operating system keeps of files in memory, as measurements want it: written back, or dropped.

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'

/** Resolves when nothing is waiting to be written to a disk: whoever comes next does not pay for what came before. */
export async function writeBack(): Promise<void> {
  await promisify(execFile)('sync')
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
