// Copying whole files: their content and the time of their last change. Where the file system can share blocks between files (Btrfs,
// XFS, APFS) a copy costs no space until one of the two changes.

import { constants, copyFile as copy, open, stat } from 'node:fs/promises'
import { asDiskError } from './disk.real.ts'

/** Times are kept and set with less than the precision of a number. */
const sameTimeMs = 2

/**
 * Makes `to` a copy of `from`, durable but for its name (`Disk.syncFolder`). A copy that an earlier call has finished is left as it is,
 * unless the original has changed since; answers whether anything was copied. Rejects with a `DiskError`.
 */
export async function copyFile(from: string, to: string): Promise<'copied' | 'same'> {
  try {
    const original = await stat(from)
    const before = await stat(to).catch(() => null)
    if (before !== null && before.size === original.size && near(before.mtimeMs, original.mtimeMs)) return 'same'
    await copy(from, to, constants.COPYFILE_FICLONE)
    const file = await open(to, 'r+')
    try {
      await file.sync()
      // Last, so that a copy that was cut short is never taken for a whole one. Should a crash forget it, the copy is made again.
      await file.utimes(original.atimeMs / 1000, original.mtimeMs / 1000)
    } finally {
      await file.close()
    }
    return 'copied'
  } catch (error) {
    throw asDiskError(error, `copy ${from} to ${to}`)
  }
}

function near(one: number, other: number): boolean {
  return Math.abs(one - other) < sameTimeMs
}
