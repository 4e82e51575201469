// Where each leadership began: the list that tells a follower how far its log is the leader's (KIP-101, KIP-279).
//
// Durability: every batch carries its epoch, so the file `leader-epoch-checkpoint` is never on the path of an append. It is
// written before the log's recovery point passes the records of a new epoch, and recovery takes what comes after the recovery
// point from the batches themselves. A leadership without records is only known in memory: nobody can have fetched from it.

import { CheckpointFormatError, decodeCheckpoint, encodeCheckpoint, wholeNumber } from './checkpoint-file.ts'
import type { Offset } from './partition-log.ts'

export interface EpochStart {
  readonly epoch: number
  readonly startOffset: Offset
}

export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: Offset
}

const unknownEnd: EpochEnd = { epoch: -1, endOffset: -1 }

export class LeaderEpochCache {
  /** Epochs and offsets both strictly increase. */
  #entries: EpochStart[]
  /** A leadership that has no record yet. */
  #started: EpochStart | null = null

  constructor(entries: readonly EpochStart[] = []) {
    this.#entries = [...entries]
  }

  get entries(): readonly EpochStart[] {
    return this.#entries
  }

  /** Epoch of the last record, or -1. */
  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /** Epoch of the last record, or of a leadership that has none yet; or -1. */
  get newestEpoch(): number {
    return this.#started?.epoch ?? this.latestEpoch
  }

  /** A leadership begins at the log's end. */
  start(epoch: number, logEndOffset: Offset): void {
    if (epoch > this.latestEpoch) this.#started = { epoch, startOffset: logEndOffset }
  }

  /**
   * A batch of `epoch` begins at `startOffset`; true when that is news. What contradicts it gives way, as in Kafka: a batch
   * with an older epoch than the last drops the newer ones.
   */
  assign(epoch: number, startOffset: Offset): boolean {
    // Its first record, or one of another leader: then this log's own leadership ended without any.
    this.#started = null
    const last = this.#entries.at(-1)
    if (epoch < 0 || (last !== undefined && last.epoch === epoch)) return false
    while (this.#entries.length > 0) {
      const { epoch: known, startOffset: start } = this.#entries.at(-1)!
      if (known < epoch && start < startOffset) break
      this.#entries.pop()
    }
    this.#entries.push({ epoch, startOffset })
    return true
  }

  /** Kafka's LeaderEpochFileCache.endOffsetFor: largest epoch <= `epoch`, and where the next one begins. */
  endOffsetFor(epoch: number, logEndOffset: Offset): EpochEnd {
    const entries = this.#started === null ? this.#entries : [...this.#entries, this.#started]
    if (epoch < 0 || entries.length === 0) return unknownEnd
    if (entries.at(-1)!.epoch === epoch) return { epoch, endOffset: logEndOffset }
    const higher = entries.findIndex((entry) => entry.epoch > epoch)
    if (higher < 0) return unknownEnd
    const floor = entries[higher - 1]
    return { epoch: floor?.epoch ?? epoch, endOffset: entries[higher]!.startOffset }
  }

  /** Epoch of the record at `offset`, or -1. */
  epochAt(offset: Offset): number {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (this.#entries[i]!.startOffset <= offset) return this.#entries[i]!.epoch
    }
    return -1
  }

  /** The log now ends at `end`. True when that drops an epoch. */
  truncateFromEnd(end: Offset): boolean {
    const before = this.#entries.length
    while (this.#entries.length > 0 && this.#entries.at(-1)!.startOffset >= end) this.#entries.pop()
    this.#started = null
    return this.#entries.length < before
  }

  /**
   * The log now begins at `start`: epochs that ended by then go, and the one `start` lies in begins there.
   * True when that changes anything.
   */
  truncateFromStart(start: Offset): boolean {
    const floor = this.#entries.findLastIndex((entry) => entry.startOffset <= start)
    if (floor < 0 || (floor === 0 && this.#entries[0]!.startOffset === start)) return false
    this.#entries = [{ epoch: this.#entries[floor]!.epoch, startOffset: start }, ...this.#entries.slice(floor + 1)]
    return true
  }

  encode(): Uint8Array {
    return encodeCheckpoint(this.#entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`))
  }

  /** Throws `CheckpointFormatError`, also when epochs or offsets do not increase. */
  static decode(bytes: Uint8Array): LeaderEpochCache {
    const entries: EpochStart[] = []
    for (const [epoch, startOffset] of decodeCheckpoint(bytes)) {
      const entry = { epoch: wholeNumber(epoch), startOffset: wholeNumber(startOffset) }
      const last = entries.at(-1)
      if (last !== undefined && (last.epoch >= entry.epoch || last.startOffset >= entry.startOffset)) {
        throw new CheckpointFormatError(
          `epoch ${entry.epoch} at ${entry.startOffset} does not follow epoch ${last.epoch}`,
        )
      }
      entries.push(entry)
    }
    return new LeaderEpochCache(entries)
  }
}
