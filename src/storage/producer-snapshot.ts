// Producer state as Kafka keeps it in a .snapshot file: int16 version 1, uint32 CRC-32C of what follows it, int32 count, then 46 bytes for
// each producer with its last batch only. Written when a segment is rolled and when the log closes; recovery starts from it.
//
// Kafka forgets a producer's other batches there, and takes one that is sent again for a gap in its sequences. So they follow behind, where
// Kafka reads no further: for each producer, in the same order, a byte that counts them, then 24 bytes for each, oldest first.

import { crc32c } from '../lib/crc32c.ts'
import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../records/big-endian.ts'
import { newEntry, type ProducerEntry, ProducerState, type RememberedBatch } from './producer-state.ts'

const version = 1
const crcAt = 2
const countAt = 6
const headerBytes = 10
const entryBytes = 46
const earlierBytes = 24

export function encodeProducerSnapshot(state: ProducerState): Uint8Array {
  let earlier = 0
  for (const { batches } of state.entries()) earlier += Math.max(0, batches.length - 1)
  const ownBytes = earlier === 0 ? 0 : state.size + earlierBytes * earlier
  const bytes = Buffer.allocUnsafe(headerBytes + entryBytes * state.size + ownBytes)
  writeInt16(bytes, 0, version)
  writeInt32(bytes, countAt, state.size)
  let at = headerBytes
  for (const entry of state.entries()) {
    const last = entry.batches.at(-1)
    writeInt64(bytes, at, entry.producerId)
    writeInt16(bytes, at + 8, entry.epoch)
    writeInt32(bytes, at + 10, last?.lastSequence ?? -1)
    writeInt64(bytes, at + 14, last?.lastOffset ?? -1)
    writeInt32(bytes, at + 22, last?.offsetDelta ?? 0)
    writeInt64(bytes, at + 26, entry.lastTimestamp)
    writeInt32(bytes, at + 34, entry.coordinatorEpoch)
    writeInt64(bytes, at + 38, entry.currentTxnFirstOffset)
    at += entryBytes
  }
  if (earlier > 0) writeEarlier(bytes, at, state)
  writeInt32(bytes, crcAt, crc32c(bytes.subarray(countAt)))
  return bytes
}

function writeEarlier(bytes: Uint8Array, from: number, state: ProducerState): void {
  let at = from
  for (const { batches } of state.entries()) {
    const count = Math.max(0, batches.length - 1)
    bytes[at++] = count
    for (const batch of batches.slice(0, count)) {
      writeInt32(bytes, at, batch.lastSequence)
      writeInt64(bytes, at + 4, batch.lastOffset)
      writeInt32(bytes, at + 12, batch.offsetDelta)
      writeInt64(bytes, at + 16, batch.timestamp)
      at += earlierBytes
    }
  }
}

/** False when the bytes are no such part. */
function readEarlier(bytes: Uint8Array, from: number, entries: readonly ProducerEntry[]): boolean {
  let at = from
  for (const entry of entries) {
    const count = bytes[at++]
    if (count === undefined || at + count * earlierBytes > bytes.length) return false
    const earlier: RememberedBatch[] = []
    for (let i = 0; i < count; i++) {
      earlier.push({
        lastSequence: readInt32(bytes, at),
        lastOffset: readInt64(bytes, at + 4),
        offsetDelta: readInt32(bytes, at + 12),
        timestamp: readInt64(bytes, at + 16),
      })
      at += earlierBytes
    }
    entry.batches.unshift(...earlier)
  }
  return at === bytes.length
}

/** Null when the bytes are not a whole snapshot of this version with the right checksum. */
export function decodeProducerSnapshot(bytes: Uint8Array): ProducerState | null {
  if (bytes.length < headerBytes || readInt16(bytes, 0) !== version) return null
  if (readUint32(bytes, crcAt) !== crc32c(bytes.subarray(countAt))) return null
  const count = readInt32(bytes, countAt)
  const end = headerBytes + count * entryBytes
  if (count < 0 || bytes.length < end) return null
  const entries: ProducerEntry[] = []
  for (let at = headerBytes; at < end; at += entryBytes) {
    const entry = newEntry(readInt64(bytes, at))
    entry.epoch = readInt16(bytes, at + 8)
    entry.lastTimestamp = readInt64(bytes, at + 26)
    entry.coordinatorEpoch = readInt32(bytes, at + 34)
    entry.currentTxnFirstOffset = readInt64(bytes, at + 38)
    const lastOffset = readInt64(bytes, at + 14)
    if (lastOffset >= 0) {
      entry.batches.push({
        lastSequence: readInt32(bytes, at + 10),
        lastOffset,
        offsetDelta: readInt32(bytes, at + 22),
        timestamp: entry.lastTimestamp,
      })
    }
    entries.push(entry)
  }
  if (bytes.length > end && !readEarlier(bytes, end, entries)) return null
  return new ProducerState(entries)
}
