// What must be known of one of Kafka's logs before Odradek takes it over, read without opening it.

import type { Disk } from '../../io/disk.ts'
import { batchLayout, currentMagic, magicOf } from '../../records/batch.ts'
import { CheckpointFormatError } from '../../storage/checkpoint-file.ts'
import { LeaderEpochCache } from '../../storage/leader-epoch-cache.ts'
import { decodeProducerSnapshot } from '../../storage/producer-snapshot.ts'
import { leaderEpochFileName, logSuffix, offsetInName, snapshotSuffix } from '../../storage/segment-names.ts'
import type { KafkaLog } from './kafka-folder.ts'

export interface LogFacts {
  /** Why Odradek cannot take this log over. */
  readonly problem: string | null
  /** The greatest leader epoch that its checkpoint names, or -1. */
  readonly leaderEpoch: number
  /** The greatest producer id in its newest snapshot, or -1. */
  readonly producerId: number
  /** Producers with a transaction that was open when the newest snapshot was written. */
  readonly openTransactions: number
}

/** Rejects with the disk's faults. */
export async function factsOf(disk: Disk, log: KafkaLog): Promise<LogFacts> {
  const { producerId, openTransactions } = await newestSnapshot(disk, log)
  return {
    problem: await formatProblem(disk, log),
    leaderEpoch: await newestEpoch(disk, log),
    producerId,
    openTransactions,
  }
}

/** The first batch of each segment tells: the format of a log only ever rises. */
async function formatProblem(disk: Disk, { name, folder, files }: KafkaLog): Promise<string | null> {
  const start = new Uint8Array(batchLayout.magic + 1)
  for (const segment of files) {
    if (offsetInName(segment.name, logSuffix) === null || segment.sizeBytes < start.length) continue
    const file = await disk.open(`${folder}/${segment.name}`, { readOnly: true })
    try {
      await file.read(start, 0)
    } finally {
      await file.close()
    }
    if (magicOf(start, 0) >= currentMagic) continue
    // A file that Kafka made larger in advance begins with zeros when nothing was written to it.
    if (start.every((byte) => byte === 0)) continue
    return `${name}: ${segment.name} holds records in the format of Kafka 0.10 or older, which Odradek does not read`
  }
  return null
}

async function newestEpoch(disk: Disk, { folder }: KafkaLog): Promise<number> {
  const bytes = await disk.readFile(`${folder}/${leaderEpochFileName}`)
  if (bytes === null) return -1
  try {
    return LeaderEpochCache.decode(bytes).latestEpoch
  } catch (error) {
    if (error instanceof CheckpointFormatError) return -1
    throw error
  }
}

async function newestSnapshot(disk: Disk, { folder, files }: KafkaLog) {
  const newest = files.findLast((file) => offsetInName(file.name, snapshotSuffix) !== null)
  const bytes = newest === undefined ? null : await disk.readFile(`${folder}/${newest.name}`)
  const producers = bytes === null ? null : decodeProducerSnapshot(bytes)
  let producerId = -1
  let openTransactions = 0
  for (const producer of producers?.entries() ?? []) {
    producerId = Math.max(producerId, producer.producerId)
    if (producer.currentTxnFirstOffset >= 0) openTransactions++
  }
  return { producerId, openTransactions }
}
