// Producer state as Kafka keeps it in a .snapshot file: int16 version 1, uint32 CRC-32C of what follows it, int32 count, then 46 bytes for
// each producer with its last batch only. Written when a segment is rolled and when the log closes; recovery starts from it.

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
import { newEntry, type ProducerEntry, ProducerState } from './producer-state.ts'

const version = 1
const crcAt = 2
const countAt = 6
const headerBytes = 10
const entryBytes = 46

export function encodeProducerSnapshot(state: ProducerState): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerBytes + entryBytes * state.size)
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
  writeInt32(bytes, crcAt, crc32c(bytes.subarray(countAt)))
  return bytes
}

/** Null when the bytes are not a whole snapshot of this version with the right checksum. */
export function decodeProducerSnapshot(bytes: Uint8Array): ProducerState | null {
  if (bytes.length < headerBytes || readInt16(bytes, 0) !== version) return null
  if (readUint32(bytes, crcAt) !== crc32c(bytes.subarray(countAt))) return null
  const count = readInt32(bytes, countAt)
  if (bytes.length !== headerBytes + count * entryBytes) return null
  const entries: ProducerEntry[] = []
  for (let at = headerBytes; at < bytes.length; at += entryBytes) {
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
  return new ProducerState(entries)
}
