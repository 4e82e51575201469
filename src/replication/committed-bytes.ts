// Counts the bytes below an offset that grows, as the high watermark does, so that a waiting fetch knows when its `min.bytes` are there
// without reading.

/** Beyond so many batches that wait, two count as one: where nothing is committed for long, memory must not grow. */
const batchesMax = 16_384

export class CommittedBytes {
  #ends: number[] = []
  /** Bytes appended up to the end at the same place. */
  #totals: number[] = []
  #head = 0
  #appended = 0
  #committed = 0

  /** Bytes committed since this object was made. Grows only. */
  get committed(): number {
    return this.#committed
  }

  /** `end`: offset after the batch; ends come in rising order. */
  append(end: number, sizeBytes: number): void {
    this.#appended += sizeBytes
    this.#ends.push(end)
    this.#totals.push(this.#appended)
    if (this.#ends.length - this.#head > batchesMax) this.#coarsen()
  }

  /** What was appended from `offset` on is dropped. */
  cutTo(offset: number): void {
    while (this.#ends.length > this.#head && this.#ends.at(-1)! > offset) {
      this.#ends.pop()
      this.#totals.pop()
    }
    this.#appended = this.#ends.length > this.#head ? this.#totals.at(-1)! : this.#committed
  }

  /** Everything below `offset` is committed. */
  commitTo(offset: number): void {
    while (this.#head < this.#ends.length && this.#ends[this.#head]! <= offset) {
      this.#committed = this.#totals[this.#head++]!
    }
    const isDrained = this.#head === this.#ends.length
    if (this.#head > 0 && (isDrained || (this.#head > 1024 && this.#head * 2 > this.#ends.length))) {
      this.#ends.splice(0, this.#head)
      this.#totals.splice(0, this.#head)
      this.#head = 0
    }
  }

  #coarsen(): void {
    const isKept = (_: number, at: number) => at >= this.#head && (this.#ends.length - at) % 2 === 1
    const ends = this.#ends.filter(isKept)
    this.#totals = this.#totals.filter(isKept)
    this.#ends = ends
    this.#head = 0
  }
}
