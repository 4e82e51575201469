// Kafka's metadata log and Odradek's are called the same, and both are record batches: the first record tells them apart. What else lies
// in the folder does not, for a Kafka that was started on Odradek's folder by mistake leaves files there before it gives up.

import type { Disk } from '../../io/disk.ts'
import { batchHeaderBytes, isControl, sizeInBytesOf } from '../../records/batch.ts'
import { recordsOf } from '../../records/record.ts'
import { isSoundBatchAt } from '../../records/sound-batches.ts'

/** Of a first batch; Odradek's has a few hundred bytes, Kafka's a few thousand. */
const firstBatchBytesMax = 16 * 1024 * 1024

/** Null: neither has been here yet. Rejects with the disk's faults. */
export async function whoseMetadata(disk: Disk, folder: string): Promise<'kafka' | 'odradek' | null> {
  const files = (await disk.list(folder)).filter(({ kind }) => kind === 'file')
  const log = files.find(({ name, sizeBytes }) => name.endsWith('.log') && sizeBytes > 0)
  const first = log === undefined ? null : await firstBatch(disk, `${folder}/${log.name}`)
  if (first !== null) return isKafkas(first) ? 'kafka' : 'odradek'
  const isNamedByKafka = files.some(({ name }) => name === 'quorum-state' || name.endsWith('.checkpoint'))
  if (isNamedByKafka) return 'kafka'
  return log === undefined ? null : 'odradek'
}

/** Null when it is not sound. */
async function firstBatch(disk: Disk, path: string): Promise<Uint8Array | null> {
  const file = await disk.open(path, { readOnly: true })
  try {
    const header = new Uint8Array(batchHeaderBytes)
    if ((await file.read(header, 0)) < header.length) return null
    const size = sizeInBytesOf(header)
    if (size < header.length || size > firstBatchBytesMax) return null
    const batch = new Uint8Array(size)
    await file.read(batch, 0)
    return isSoundBatchAt(batch, 0) ? batch : null
  } finally {
    await file.close()
  }
}

/** Records of KRaft have no key, and its control batches are not for us; every record of Odradek has one. */
function isKafkas(batch: Uint8Array): boolean {
  if (isControl(batch)) return true
  const [first] = recordsOf(batch)
  return first === undefined || first.key === null
}
