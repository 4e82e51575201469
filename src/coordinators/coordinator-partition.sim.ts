// An internal partition in memory, with its high watermark and its faults in a test's hands.

import { nextOffsetOf, stampBaseOffset } from '../records/batch.ts'
import { recordsOf } from '../records/record.ts'
import type { LogRead, Offset } from '../storage/partition-log.ts'
import {
  AppendsDropped,
  type CoordinatorAppended,
  type CoordinatorPartition,
  type CoordinatorRefusal,
} from './coordinator-partition.ts'

export class SimulatedCoordinatorPartition implements CoordinatorPartition {
  readonly leaderEpoch = 0
  logStartOffset: Offset = 0
  highWatermark: Offset = 0
  batchBytesMax = 1_048_588
  /** Appends are committed at once. Off: `commit` does it. */
  commitsAtOnce = true
  /** What the next append meets. */
  nextRefusal: CoordinatorRefusal | null = null
  /** What every append meets until it is taken away. */
  refusal: CoordinatorRefusal | null = null
  /** Reads wait for it. */
  readGate: Promise<void> = Promise.resolve()
  /** What every read meets. */
  readFault: Error | null = null
  readonly batches: Uint8Array[] = []
  reads = 0
  #waiting: { readonly end: Offset; readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []

  get logEndOffset(): Offset {
    const last = this.batches.at(-1)
    return last === undefined ? 0 : nextOffsetOf(last)
  }

  append(batch: Uint8Array): CoordinatorAppended {
    const refusal = this.nextRefusal ?? this.refusal
    this.nextRefusal = null
    if (refusal !== null) return { ok: false, refusal }
    const baseOffset = this.logEndOffset
    stampBaseOffset(batch, 0, baseOffset)
    this.batches.push(batch)
    if (this.commitsAtOnce) this.commit()
    return { ok: true, baseOffset, lastOffset: this.logEndOffset - 1, duplicate: false, logAppendTimeMs: -1 }
  }

  committed(end: Offset): Promise<void> {
    if (end <= this.highWatermark) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ end, resolve, reject })
    })
  }

  /** The followers have everything. */
  commit(): void {
    this.highWatermark = this.logEndOffset
    const waiting = this.#waiting
    this.#waiting = []
    for (const { resolve } of waiting) resolve()
  }

  /** There was no room for what is not committed. */
  drop(): void {
    while (this.logEndOffset > this.highWatermark) this.batches.pop()
    const waiting = this.#waiting
    this.#waiting = []
    for (const { reject } of waiting) reject(new AppendsDropped('the disk is full'))
  }

  /** This broker stops leading the partition. */
  lose(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { reject } of waiting) reject(new Error('no longer the leader'))
  }

  async read(from: Offset, maxBytes: number): Promise<LogRead> {
    this.reads++
    await this.readGate
    if (this.readFault !== null) throw this.readFault
    const chunks: Uint8Array[] = []
    let sizeBytes = 0
    for (const batch of this.batches) {
      if (nextOffsetOf(batch) <= from) continue
      if (chunks.length > 0 && sizeBytes + batch.length > maxBytes) break
      chunks.push(batch)
      sizeBytes += batch.length
    }
    return { ok: true, chunks, sizeBytes }
  }

  /** A partition that another broker leads now, with everything in it. */
  copy(): SimulatedCoordinatorPartition {
    const copy = new SimulatedCoordinatorPartition()
    copy.batches.push(...this.batches.map((batch) => new Uint8Array(batch)))
    copy.commit()
    return copy
  }

  get recordsCount(): number {
    return this.batches.reduce((sum, batch) => sum + [...recordsOf(batch)].length, 0)
  }
}
