// Fetch, version 11, without sessions: reads from the files into buffers that are used again and again, with the fields of the answer in
// front of what was read, so that one partition is one buffer and one write.

import { readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from '../../../src/records/big-endian.ts'
import { ErrorCode } from '../../../src/protocol/error-code.ts'
import type { PartitionFile } from './partition-file.ts'
import type { Topics } from './topics.ts'

export const fetchVersion = 11
/** Key, version, correlation id. */
const requestHeaderBytes = 2 + 2 + 4
/** An answer ends with the partition that makes it so large: then what was read is still in the cache when it is sent. */
const answerBytesMax = 512 * 1024
/** A piece takes all of a partition that a consumer asks for by default, and the fields of some. */
const pieceBytes = 1024 * 1024 + 64 * 1024
/** Size, correlation id, throttle time, error, session id, number of topics. */
const headBytes = 4 + 4 + 4 + 2 + 4 + 4
/** Index, error, high watermark, last stable offset, log start offset, aborted transactions, preferred replica, size of the records. */
const partitionHeadBytes = 4 + 2 + 8 + 8 + 8 + 4 + 4 + 4
const none = -1

interface Wanted {
  readonly index: number
  readonly offset: number
  readonly maxBytes: number
}

export interface FetchRequest {
  readonly correlationId: number
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly topics: readonly { readonly name: string; readonly partitions: readonly Wanted[] }[]
}

/** The request is in `bytes` at `at`, its correlation id included. */
export function readFetch(bytes: Uint8Array, at: number): FetchRequest {
  const correlationId = readInt32(bytes, at + 4)
  let place = at + requestHeaderBytes
  place += 2 + Math.max(0, readInt16(bytes, place)) + 4
  const maxWaitMs = readInt32(bytes, place)
  const maxBytes = readInt32(bytes, place + 8)
  // Maximal wait, minimal and maximal size, isolation level, session id and epoch.
  place += 4 + 4 + 4 + 1 + 4 + 4
  const topicsCount = readInt32(bytes, place)
  place += 4
  const topics = []
  for (let left = topicsCount; left > 0; left--) {
    const nameBytes = readInt16(bytes, place)
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + place + 2, nameBytes).toString('latin1')
    place += 2 + nameBytes
    const partitionsCount = readInt32(bytes, place)
    place += 4
    const partitions: Wanted[] = []
    for (let more = partitionsCount; more > 0; more--) {
      // Between them, the epoch of the leader and the start of the log.
      const offset = readInt64(bytes, place + 8)
      partitions.push({ index: readInt32(bytes, place), offset, maxBytes: readInt32(bytes, place + 24) })
      place += 28
    }
    topics.push({ name, partitions })
  }
  return { correlationId, maxWaitMs, maxBytes, topics }
}

const freePieces: Buffer[] = []

/** An answer in pieces, to be given back when they were sent. */
export class FetchAnswer {
  readonly pieces: Buffer[] = []
  readonly #ends: number[] = []
  #bytes = 0

  /** Null when there is nothing to read yet, unless `evenEmpty`. */
  static to(request: FetchRequest, topics: Topics, evenEmpty: boolean): FetchAnswer | null {
    let answer: FetchAnswer | null = evenEmpty ? new FetchAnswer(request) : null
    const bytesMax = Math.min(request.maxBytes, answerBytesMax)
    let topicsWritten = 0
    for (const { name, partitions } of request.topics) {
      const topic = topics.get(name)
      let countPlace = -1
      let partitionsWritten = 0
      for (const wanted of partitions) {
        const partition = topic?.partitions[wanted.index]
        const available = partition?.readableBytesFrom(wanted.offset) ?? 1
        if (available <= 0) continue
        answer ??= new FetchAnswer(request)
        if (answer.#bytes >= bytesMax) break
        if (countPlace < 0) countPlace = answer.#topic(name)
        if (partition === undefined) answer.#unknown(wanted.index)
        else answer.#read(partition, wanted, available)
        partitionsWritten += 1
      }
      if (countPlace < 0) continue
      answer!.#patch(countPlace, partitionsWritten)
      topicsWritten += 1
    }
    if (answer !== null) answer.#finish(topicsWritten)
    return answer
  }

  private constructor({ correlationId }: FetchRequest) {
    const piece = this.#room(headBytes)
    writeInt32(piece, 4, correlationId)
    writeInt32(piece, 8, 0)
    writeInt16(piece, 12, ErrorCode.NONE)
    writeInt32(piece, 14, 0)
    this.#wrote(headBytes)
  }

  /** What is to be sent. */
  chunks(): Uint8Array[] {
    return this.pieces.map((piece, index) => piece.subarray(0, this.#ends[index]))
  }

  release(): void {
    for (const piece of this.pieces) if (piece.length === pieceBytes) freePieces.push(piece)
  }

  /** Answers where the number of its partitions goes. */
  #topic(name: string): number {
    const bytes = 2 + name.length + 4
    const piece = this.#room(bytes)
    const at = this.#at()
    writeInt16(piece, at, name.length)
    piece.write(name, at + 2, 'latin1')
    this.#wrote(bytes)
    return this.#bytes - 4
  }

  #unknown(index: number): void {
    const piece = this.#room(partitionHeadBytes)
    writePartitionHead(piece, this.#at(), index, {
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      end: none,
      bytes: 0,
    })
    this.#wrote(partitionHeadBytes)
  }

  #read(partition: PartitionFile, { offset, maxBytes }: Wanted, available: number): void {
    const wantedBytes = Math.min(available, maxBytes)
    let piece = this.#room(partitionHeadBytes + wantedBytes)
    let at = this.#at()
    let { bytes } = partition.read(offset, piece, at + partitionHeadBytes, wantedBytes)
    if (bytes === 0) {
      // The first batch is larger than what was asked for.
      const wholeBytes = partition.batchBytesAt(offset)
      piece = this.#room(partitionHeadBytes + wholeBytes)
      at = this.#at()
      bytes = partition.read(offset, piece, at + partitionHeadBytes, wholeBytes).bytes
    }
    writePartitionHead(piece, at, partition.index, { errorCode: ErrorCode.NONE, end: partition.readableOffset, bytes })
    this.#wrote(partitionHeadBytes + bytes)
  }

  #finish(topicsWritten: number): void {
    this.#patch(0, this.#bytes - 4)
    this.#patch(headBytes - 4, topicsWritten)
  }

  /** The piece in which so many bytes can be written at `#at()`. */
  #room(bytes: number): Buffer {
    const last = this.pieces.at(-1)
    if (last !== undefined && this.#at() + bytes <= last.length) return last
    const piece =
      bytes <= pieceBytes ? (freePieces.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)) : Buffer.allocUnsafeSlow(bytes)
    this.pieces.push(piece)
    this.#ends.push(0)
    return piece
  }

  #at(): number {
    return this.#ends.at(-1)!
  }

  #wrote(bytes: number): void {
    this.#ends[this.#ends.length - 1]! += bytes
    this.#bytes += bytes
  }

  /** `place`: in the whole of the answer. */
  #patch(place: number, value: number): void {
    let at = place
    let index = 0
    while (at >= this.#ends[index]!) at -= this.#ends[index++]!
    writeInt32(this.pieces[index]!, at, value)
  }
}

function writePartitionHead(
  bytes: Uint8Array,
  at: number,
  index: number,
  { errorCode, end, bytes: size }: { errorCode: ErrorCode; end: number; bytes: number },
): void {
  writeInt32(bytes, at, index)
  writeInt16(bytes, at + 4, errorCode)
  writeInt64(bytes, at + 6, end)
  writeInt64(bytes, at + 14, end)
  writeInt64(bytes, at + 22, 0)
  // No list of aborted transactions, no other replica.
  writeInt32(bytes, at + 30, none)
  writeInt32(bytes, at + 34, none)
  writeInt32(bytes, at + 38, size)
}
