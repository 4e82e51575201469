// A Fetch request that is encoded once; from then on only its offsets change, where they stand.

import { fetch } from '../../src/protocol/apis/fetch.ts'
import { encodeRequest } from '../../src/protocol/frame.ts'
import { writeInt64 } from '../../src/records/big-endian.ts'
import { clientId, versions } from './versions.ts'

/** Defaults of Kafka's consumers: fetch.max.wait.ms, fetch.min.bytes, fetch.max.bytes. */
const maxWaitMs = 500
const minBytes = 1
const maxBytes = 50 * 1024 * 1024
const int64Bytes = 8

export interface FetchShape {
  readonly topic: string
  readonly partitions: readonly number[]
  readonly partitionBytes: number
}

export class FetchRequest {
  /** Not to be sent again before its answer has come: then nobody reads it any more. */
  readonly frame: Uint8Array
  readonly #offsetPlaces: readonly number[]

  constructor(shape: FetchShape) {
    // The places are those where two requests differ that differ in nothing but the offsets: 0 is all zeros, -1 all ones.
    this.frame = frameOf(shape, 0)
    const other = frameOf(shape, -1)
    const places = []
    for (let at = 0; at < other.length; at += 1) {
      if (this.frame[at] === other[at]) continue
      places.push(at)
      at += int64Bytes - 1
    }
    this.#offsetPlaces = places
  }

  /** `index`: of the partition among the shape's. */
  fetchFrom(index: number, offset: number): void {
    writeInt64(this.frame, this.#offsetPlaces[index]!, offset)
  }
}

function frameOf({ topic, partitions, partitionBytes }: FetchShape, fetchOffset: number): Uint8Array {
  const listed = partitions.map((partition) => ({ partition, fetchOffset, partitionMaxBytes: partitionBytes }))
  return Buffer.concat(
    encodeRequest(
      fetch,
      versions.fetch,
      { correlationId: 0, clientId },
      { maxWaitMs, minBytes, maxBytes, topics: [{ topic, partitions: listed }] },
    ),
  )
}
