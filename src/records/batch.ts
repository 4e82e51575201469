// The record batch (magic 2): the unit of append, compression and checksum. A batch is opaque bytes: these functions read and
// stamp its 61-byte header where it lies, at position `at` of a larger buffer, and copy nothing.
// Readers trust the caller that a whole header is there; `batchesIn` and `validateBatch` are where that is checked.

import { crc32c } from '../lib/crc32c.ts'
import { readInt16, readInt32, readInt64, readUint32, writeInt16, writeInt32, writeInt64 } from './big-endian.ts'
import { type Codec, codecById } from './codec.ts'

/** Byte positions of the header's fields. */
export const batchLayout = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordsCount: 57,
  records: 61,
} as const

/** A batch without records; no batch is smaller. */
export const batchHeaderBytes = 61
/** Base offset and length field: what the length field does not count. */
export const batchOverheadBytes = 12
/** The only magic that is accepted; older ones ended with Kafka 4. */
export const currentMagic = 2

export const noTimestamp = -1
export const noProducerId = -1
export const noProducerEpoch = -1
export const noSequence = -1
export const noLeaderEpoch = -1

export const attributeBits = {
  codec: 0b111,
  logAppendTime: 1 << 3,
  transactional: 1 << 4,
  control: 1 << 5,
  deleteHorizon: 1 << 6,
} as const

export type TimestampType = 'CreateTime' | 'LogAppendTime'

export function baseOffsetOf(bytes: Uint8Array, at = 0): number {
  return readInt64(bytes, at + batchLayout.baseOffset)
}

/** Size of the whole batch by its length field, header included. Can be anything in bytes nobody has checked. */
export function sizeInBytesOf(bytes: Uint8Array, at = 0): number {
  return readInt32(bytes, at + batchLayout.batchLength) + batchOverheadBytes
}

export function leaderEpochOf(bytes: Uint8Array, at = 0): number {
  return readInt32(bytes, at + batchLayout.leaderEpoch)
}

export function magicOf(bytes: Uint8Array, at = 0): number {
  return (bytes[at + batchLayout.magic]! << 24) >> 24
}

/** The checksum as the batch states it. */
export function crcOf(bytes: Uint8Array, at = 0): number {
  return readUint32(bytes, at + batchLayout.crc)
}

/** The checksum as the bytes give it: over everything from the attributes on. The whole batch must be there. */
export function computedCrcOf(bytes: Uint8Array, at = 0): number {
  return crc32c(bytes.subarray(at + batchLayout.attributes, at + sizeInBytesOf(bytes, at)))
}

export function attributesOf(bytes: Uint8Array, at = 0): number {
  return readInt16(bytes, at + batchLayout.attributes)
}

/** `undefined` for the codec ids 5 to 7, which mean nothing. */
export function codecOf(bytes: Uint8Array, at = 0): Codec | undefined {
  return codecById[bytes[at + batchLayout.attributes + 1]! & attributeBits.codec]
}

export function timestampTypeOf(bytes: Uint8Array, at = 0): TimestampType {
  return hasAttribute(bytes, at, attributeBits.logAppendTime) ? 'LogAppendTime' : 'CreateTime'
}

export function isTransactional(bytes: Uint8Array, at = 0): boolean {
  return hasAttribute(bytes, at, attributeBits.transactional)
}

export function isControl(bytes: Uint8Array, at = 0): boolean {
  return hasAttribute(bytes, at, attributeBits.control)
}

/** The base timestamp field holds the time from which compaction may drop the batch's tombstones (KIP-534). */
export function hasDeleteHorizon(bytes: Uint8Array, at = 0): boolean {
  return hasAttribute(bytes, at, attributeBits.deleteHorizon)
}

export function lastOffsetDeltaOf(bytes: Uint8Array, at = 0): number {
  return readInt32(bytes, at + batchLayout.lastOffsetDelta)
}

/** Offset of the batch's last record, also of one that compaction has removed. */
export function lastOffsetOf(bytes: Uint8Array, at = 0): number {
  return baseOffsetOf(bytes, at) + lastOffsetDeltaOf(bytes, at)
}

/** Offset that follows the batch. */
export function nextOffsetOf(bytes: Uint8Array, at = 0): number {
  return lastOffsetOf(bytes, at) + 1
}

/** Milliseconds; what record timestamps are relative to. A client may have sent any 64 bits: rounded beyond 2^53. */
export function baseTimestampOf(bytes: Uint8Array, at = 0): number {
  return readInt64(bytes, at + batchLayout.baseTimestamp)
}

/** Milliseconds. A client may have sent any 64 bits: rounded beyond 2^53. */
export function maxTimestampOf(bytes: Uint8Array, at = 0): number {
  return readInt64(bytes, at + batchLayout.maxTimestamp)
}

/** -1 when there is none. A client may have sent any 64 bits: rounded beyond 2^53. */
export function producerIdOf(bytes: Uint8Array, at = 0): number {
  return readInt64(bytes, at + batchLayout.producerId)
}

/** Whether the batch is idempotent. Only the id says so: KafkaJS sends epoch 0 and sequence 0 without one. */
export function hasProducerId(bytes: Uint8Array, at = 0): boolean {
  return producerIdOf(bytes, at) > noProducerId
}

export function producerEpochOf(bytes: Uint8Array, at = 0): number {
  return readInt16(bytes, at + batchLayout.producerEpoch)
}

export function baseSequenceOf(bytes: Uint8Array, at = 0): number {
  return readInt32(bytes, at + batchLayout.baseSequence)
}

/** Sequence of the last record, -1 when the batch has none. */
export function lastSequenceOf(bytes: Uint8Array, at = 0): number {
  const baseSequence = baseSequenceOf(bytes, at)
  return baseSequence < 0 ? noSequence : sequenceAfter(baseSequence, lastOffsetDeltaOf(bytes, at))
}

/** The sequence `increment` steps on. Sequences wrap: after 2147483647 comes 0. */
export function sequenceAfter(sequence: number, increment: number): number {
  return (sequence + increment) % 2 ** 31
}

export function recordsCountOf(bytes: Uint8Array, at = 0): number {
  return readInt32(bytes, at + batchLayout.recordsCount)
}

/** Gives the batch its place in the log. Outside the checksum. */
export function stampBaseOffset(bytes: Uint8Array, at: number, baseOffset: number): void {
  writeInt64(bytes, at + batchLayout.baseOffset, baseOffset)
}

/** Marks the leadership under which the batch was appended (KIP-101). Outside the checksum. */
export function stampLeaderEpoch(bytes: Uint8Array, at: number, leaderEpoch: number): void {
  writeInt32(bytes, at + batchLayout.leaderEpoch, leaderEpoch)
}

/** Makes every record of the batch have the time `now`, and renews the checksum. */
export function stampLogAppendTime(bytes: Uint8Array, at: number, now: number): void {
  writeInt16(bytes, at + batchLayout.attributes, attributesOf(bytes, at) | attributeBits.logAppendTime)
  stampMaxTimestamp(bytes, at, now)
}

/** Makes the records' timestamps those of the producer, the greatest of them `maxTimestamp`, and renews the checksum. */
export function stampCreateTime(bytes: Uint8Array, at: number, maxTimestamp: number): void {
  writeInt16(bytes, at + batchLayout.attributes, attributesOf(bytes, at) & ~attributeBits.logAppendTime)
  stampMaxTimestamp(bytes, at, maxTimestamp)
}

/** Sets the greatest record timestamp, and renews the checksum. */
export function stampMaxTimestamp(bytes: Uint8Array, at: number, maxTimestamp: number): void {
  writeInt64(bytes, at + batchLayout.maxTimestamp, maxTimestamp)
  stampCrc(bytes, at)
}

/** Renews the checksum of a whole batch. */
export function stampCrc(bytes: Uint8Array, at = 0): void {
  writeInt32(bytes, at + batchLayout.crc, computedCrcOf(bytes, at))
}

function hasAttribute(bytes: Uint8Array, at: number, bit: number): boolean {
  return (bytes[at + batchLayout.attributes + 1]! & bit) !== 0
}
