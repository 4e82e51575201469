// A Produce request that is encoded once and sent many times, and what its answer looks like when all went well: the error codes are always
// at the same places, so that an answer costs a look at a few bytes.

import { produce } from '../../src/protocol/apis/produce.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import { decodeResponse, encodeRequest, encodeResponse } from '../../src/protocol/frame.ts'
import type { BuiltBatch } from './batches.ts'
import { clientId, versions } from './versions.ts'

const sizeBytes = 4
/** Up to this a request is copied into one piece: a system call with many pieces costs more. */
const joinedBytesMax = 64 * 1024
const timeoutMs = 30_000

export interface ProduceShape {
  readonly topic: string
  readonly acks: number
}

export interface PartitionBatch {
  readonly partition: number
  readonly batch: BuiltBatch
}

export class ProduceRequest {
  readonly frame: readonly Uint8Array[]
  readonly frameBytes: number
  readonly partitions: number
  readonly records: number
  /** Of the batches. */
  readonly bytes: number

  /** `memory`: for a request that is joined into one piece. */
  constructor({ topic, acks }: ProduceShape, batches: readonly PartitionBatch[], memory = freshMemory) {
    const header = { correlationId: 0, clientId }
    const partitionData = batches.map(({ partition, batch }) => ({ index: partition, records: [batch.bytes] }))
    const topicData = [{ name: topic, partitionData }]
    const chunks = encodeRequest(produce, versions.produce, header, { acks, timeoutMs, topicData })
    this.frameBytes = chunks.reduce((sum, { length }) => sum + length, 0)
    this.frame = this.frameBytes <= joinedBytesMax ? [joined(chunks, memory(this.frameBytes))] : chunks
    this.partitions = batches.length
    this.records = batches.reduce((sum, { batch }) => sum + batch.records, 0)
    this.bytes = batches.reduce((sum, { batch }) => sum + batch.bytes.length, 0)
  }
}

function freshMemory(size: number): Uint8Array {
  return Buffer.allocUnsafe(size)
}

function joined(chunks: readonly Uint8Array[], memory: Uint8Array): Uint8Array {
  let at = 0
  for (const chunk of chunks) {
    memory.set(chunk, at)
    at += chunk.length
  }
  return memory
}

/** Answers to requests of one topic, whatever their batches. */
export class ProduceAnswers {
  readonly #topic: string
  /** By how many partitions were written to. */
  readonly #shapes: AnswerShape[] = []

  constructor(topic: string) {
    this.#topic = topic
  }

  /** Throws with the error's name unless every one of the `partitions` was written. */
  check(bytes: Uint8Array, from: number, end: number, partitions: number): void {
    const shape = (this.#shapes[partitions] ??= answerShape(this.#topic, partitions))
    if (end - from === shape.bytes) {
      let wrong = 0
      for (const place of shape.errorPlaces) wrong |= bytes[from + place]!
      if (wrong === 0) return
    }
    this.#checkWhole(bytes.subarray(from, end), partitions)
  }

  #checkWhole(frame: Uint8Array, partitions: number): void {
    const { responses } = decodeResponse(produce, versions.produce, frame).body
    const answers = responses.flatMap(({ partitionResponses }) => partitionResponses)
    for (const { index, errorCode, errorMessage } of answers) {
      if (errorCode === ErrorCode.NONE) continue
      throw new Error(`${this.#topic}-${index} refused: ${errorName(errorCode)} ${errorMessage ?? ''}`)
    }
    if (answers.length !== partitions) throw new Error(`${answers.length} of ${partitions} partitions answered`)
  }
}

interface AnswerShape {
  /** Without the size field, from which the places count as well. */
  readonly bytes: number
  readonly errorPlaces: readonly number[]
}

/** The places of the error codes are those where two answers differ that differ in nothing else: code 0 is 0000, -1 is ffff. */
function answerShape(topic: string, partitions: number): AnswerShape {
  const good = answerOf(topic, partitions, ErrorCode.NONE)
  const bad = answerOf(topic, partitions, ErrorCode.UNKNOWN_SERVER_ERROR)
  const errorPlaces = []
  for (let at = sizeBytes; at < good.length; at += 1) if (good[at] !== bad[at]) errorPlaces.push(at - sizeBytes)
  return { bytes: good.length - sizeBytes, errorPlaces }
}

function answerOf(topic: string, partitions: number, errorCode: ErrorCode): Uint8Array {
  const partitionResponses = Array.from({ length: partitions }, (_, index) => ({ index, errorCode, baseOffset: 0 }))
  return Buffer.concat(
    encodeResponse(produce, versions.produce, 0, { responses: [{ name: topic, partitionResponses }] }),
  )
}
