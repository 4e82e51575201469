// After a sync that failed the system may take what it did not write for written: it can be read, no later sync brings it to the disk, and
// a power failure takes it away (Linux does so). A process that starts again and syncs what it reads would confirm it in vain. So the log's
// folder keeps a mark, and who opens the log writes everything again before the sync. The mark needs no sync of its own: where it is lost,
// so is what it warns of.

import type { Disk } from '../io/disk.ts'
import type { PooledFile } from './file-handles.ts'
import { failedSyncFileName } from './segment-names.ts'

const chunkBytes = 1 << 20

/** Rejects with the disk's faults. */
export async function markFailedSync(disk: Disk, folder: string): Promise<void> {
  const file = await disk.open(`${folder}/${failedSyncFileName}`, { create: true })
  await file.close()
}

/** To be called once all that was in doubt has been written again and synced. */
export async function clearFailedSync(disk: Disk, folder: string): Promise<void> {
  await disk.remove(`${folder}/${failedSyncFileName}`)
  await disk.syncFolder(folder)
}

export async function hasFailedSync(disk: Disk, folder: string): Promise<boolean> {
  return (await disk.readFile(`${folder}/${failedSyncFileName}`)) !== null
}

/** Each byte as it is read. */
export async function writeAgain(file: PooledFile, sizeBytes: number): Promise<void> {
  for (let position = 0; position < sizeBytes; position += chunkBytes) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - position))
    const length = await file.read(chunk, position)
    await file.write([chunk.subarray(0, length)], position)
  }
}
