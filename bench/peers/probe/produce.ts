// Produce, version 9: finds the batches in a request where they lie, holds them against their checksums and gives them to their partitions.

import { computedCrcOf, crcOf } from '../../../src/records/batch.ts'
import { readInt16, readInt32 } from '../../../src/records/big-endian.ts'
import { ErrorCode } from '../../../src/protocol/error-code.ts'
import type { AnswerWriter } from './answer-writer.ts'
import type { PartitionFile } from './partition-file.ts'
import type { Topic, Topics } from './topics.ts'

export const produceVersion = 9
/** Key, version, correlation id. */
const headerBytes = 2 + 2 + 4
/** A partition in an answer, and what stands around all of them. */
const partitionAnswerBytes = 40
const aroundBytes = 64
const none = -1

/** Where an unsigned varint was read up to; as a variable of this file, because it is read on the way of every request. */
let position = 0

function readVarint(bytes: Uint8Array): number {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[position++]!
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value
  }
}

/**
 * The request is in `bytes` at `at`, its correlation id included. Partitions that got their first batch since their last write are added to
 * `touched`. Answers whether the client wants an answer, and then has written it.
 */
export function append(
  topics: Topics,
  bytes: Uint8Array,
  at: number,
  touched: PartitionFile[],
  answer: AnswerWriter,
): boolean {
  const clientIdBytes = Math.max(0, readInt16(bytes, at + headerBytes))
  // Tagged fields of the header, and the transactional id: neither is there.
  position = at + headerBytes + 2 + clientIdBytes + 1 + 1
  const wantsAnswer = readInt16(bytes, position) !== 0
  position += 2 + 4
  const start = answer.end
  const topicsCount = readVarint(bytes)
  answer.reserve(aroundBytes)
  answer.int32(0)
  answer.int32(readInt32(bytes, at + 4))
  answer.int8(0)
  writeVarint(answer, topicsCount)
  for (let left = topicsCount - 1; left > 0; left--) appendToTopic(topics, bytes, touched, answer)
  answer.int32(0)
  answer.int8(0)
  answer.int32At(start, answer.end - start - 4)
  if (!wantsAnswer) answer.dropTo(start)
  return wantsAnswer
}

function appendToTopic(topics: Topics, bytes: Uint8Array, touched: PartitionFile[], answer: AnswerWriter): void {
  const nameAt = position
  const nameBytes = readVarint(bytes) - 1
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + position, nameBytes).toString('latin1')
  position += nameBytes
  const topic = topics.get(name)
  const nameEnd = position
  const partitionsCount = readVarint(bytes)
  answer.reserve(aroundBytes + nameEnd - nameAt + partitionsCount * partitionAnswerBytes)
  answer.copy(bytes, nameAt, nameEnd)
  writeVarint(answer, partitionsCount)
  for (let left = partitionsCount - 1; left > 0; left--) appendToPartition(topic, bytes, touched, answer)
  position += 1
  answer.int8(0)
}

function appendToPartition(
  topic: Topic | undefined,
  bytes: Uint8Array,
  touched: PartitionFile[],
  answer: AnswerWriter,
): void {
  const index = readInt32(bytes, position)
  position += 4
  const batchBytes = readVarint(bytes) - 1
  const batch = bytes.subarray(position, position + batchBytes)
  position += batchBytes + 1
  const partition = topic?.partitions[index]
  const sound = crcOf(batch) === computedCrcOf(batch)
  answer.int32(index)
  if (partition === undefined || !sound) {
    answer.int16(partition === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.CORRUPT_MESSAGE)
    answer.int64(none)
  } else {
    if (!partition.hasGathered) touched.push(partition)
    answer.int16(ErrorCode.NONE)
    answer.int64(partition.gather(batch))
  }
  // Time of the append, start of the log; no errors of records, no message, no tagged fields.
  answer.int64(none)
  answer.int64(0)
  answer.int8(1)
  answer.int8(0)
  answer.int8(0)
}

function writeVarint(answer: AnswerWriter, value: number): void {
  let left = value
  for (; left >= 0x80; left >>>= 7) answer.int8((left & 0x7f) | 0x80)
  answer.int8(left)
}
