// Records that a coordinator has decided on and not yet given to its log.

import type { KeyValue } from './effect.ts'

/** More than the fields around key and value take: lengths, timestamp and offset deltas. */
const recordOverheadBytes = 32

export class Gathered {
  /** In order; no batch is empty. */
  readonly batches: KeyValue[][] = []
  readonly #batchBytesMax: number
  #bytes = Infinity

  /** `batchBytesMax`: bound on one batch without its header; a single record may be larger, and is then up to the log. */
  constructor(batchBytesMax: number) {
    this.#batchBytesMax = batchBytesMax
  }

  /** Nothing is gained by waiting for more: the first batch is full. */
  get isFull(): boolean {
    return this.batches.length > 1
  }

  /** Records of one decision stay in one batch if any batch can hold them all, so that a log has either all or none of them. */
  add(records: readonly KeyValue[]): void {
    let total = 0
    for (const record of records) total += sizeOf(record)
    if (total <= this.#batchBytesMax) {
      this.#addTogether(records, total)
    } else {
      for (const record of records) this.#addTogether([record], sizeOf(record))
    }
  }

  #addTogether(records: readonly KeyValue[], bytes: number): void {
    if (this.#bytes + bytes > this.#batchBytesMax) {
      this.batches.push([])
      this.#bytes = 0
    }
    const batch = this.batches.at(-1)!
    for (const record of records) batch.push(record) // too many for arguments where batches may be large
    this.#bytes += bytes
  }
}

function sizeOf({ key, value }: KeyValue): number {
  return key.length + (value?.length ?? 0) + recordOverheadBytes
}
