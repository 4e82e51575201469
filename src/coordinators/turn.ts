// What a coordinator gathers in one turn of the event loop: records for the log, and the replies that wait for them.

import type { KeyValue } from './effect.ts'

/** More than the fields around key and value take: lengths, timestamp and offset deltas. */
const recordOverheadBytes = 32

export class Turn<Reply> {
  /** In order; no batch is empty. */
  readonly batches: KeyValue[][] = []
  readonly replies: Reply[] = []
  readonly #batchBytesMax: number
  #bytes = Infinity

  constructor(batchBytesMax: number) {
    this.#batchBytesMax = batchBytesMax
  }

  /** Starts another batch when the record would make the last one too large. */
  add(record: KeyValue): void {
    const bytes = record.key.length + (record.value?.length ?? 0) + recordOverheadBytes
    if (this.#bytes + bytes > this.#batchBytesMax) {
      this.batches.push([])
      this.#bytes = 0
    }
    this.batches.at(-1)!.push(record)
    this.#bytes += bytes
  }
}
