// Plays all batches of a log through the producers' state, and holds the files that were written of it against that: the snapshots, and
// the aborted transactions of each segment.
//
// What was deleted or compacted away cannot be played again. Where that may explain a difference, there is none: `complete` says that
// the state at the log's beginning is known, `gaps` that records were compacted away.

import { baseOffsetOf, lastOffsetOf, noProducerId, producerIdOf, recordsCountOf } from '../../records/batch.ts'
import type { Offset } from '../partition-log.ts'
import { producerBatchOf } from '../producer-batch.ts'
import { ProducerState } from '../producer-state.ts'
import type { AbortedTransaction } from '../txn-index.ts'

export class ProducerCheck {
  readonly #state: ProducerState
  readonly #complete: boolean
  #gaps = false
  #isLost = false
  /** Of the segment under way. */
  #aborted: AbortedTransaction[] = []
  /** Abort markers there whose transaction began nowhere that was seen: last offset -> producer. */
  #abortsOfUnknown = new Map<Offset, number>()
  /** Last offsets of those in `#aborted` of which a record is there. */
  #withRecords = new Set<Offset>()
  /** Producers with a record in their open transaction. */
  readonly #wrote = new Set<number>()
  #stored: readonly AbortedTransaction[] = []
  #storedNext = 0
  /** Last offsets of stored transactions that lie in a batch that is there. */
  #present = new Set<Offset>()

  /** `initial`: the state where the log begins; null when it is not known. */
  constructor(initial: ProducerState | null) {
    this.#state = initial ?? new ProducerState()
    this.#complete = initial !== null
  }

  /** A segment begins; `stored` is what its index of aborted transactions holds. */
  beginSegment(stored: readonly AbortedTransaction[]): void {
    this.#aborted = []
    this.#withRecords = new Set()
    this.#abortsOfUnknown = new Map()
    this.#stored = stored
    this.#storedNext = 0
    this.#present = new Set()
  }

  /** Offsets are missing: compaction, which may have taken whole batches. */
  sawGap(): void {
    this.#gaps = true
  }

  /** Batches are damaged: from here on nothing is known for sure, and nothing is called wrong. */
  lost(): void {
    this.#isLost = true
  }

  /** A good batch, in order; a control batch lies whole at `at`. */
  batch(bytes: Uint8Array, at: number): void {
    const baseOffset = baseOffsetOf(bytes, at)
    this.#notePresent(baseOffset, lastOffsetOf(bytes, at))
    const producerId = producerIdOf(bytes, at)
    if (producerId <= noProducerId) return
    const batch = producerBatchOf(bytes, at, producerId, baseOffset)
    const aborted = this.#state.apply(batch)
    if (batch.transactional && !batch.control && recordsCountOf(bytes, at) > 0) this.#wrote.add(producerId)
    const wrote = batch.marker !== null && this.#wrote.delete(producerId)
    if (aborted !== null) {
      this.#aborted.push(aborted)
      if (wrote) this.#withRecords.add(aborted.lastOffset)
    } else if (batch.marker?.kind === 'abort') {
      this.#abortsOfUnknown.set(batch.lastOffset, producerId)
    }
  }

  /** What is wrong with the stored aborted transactions of the segment that has just ended; null: nothing. */
  wrongAborted(): string | null {
    if (this.#isLost) return null
    const stored = new Map(this.#stored.map((transaction) => [transaction.lastOffset, transaction]))
    for (const found of this.#aborted) {
      const known = stored.get(found.lastOffset)
      stored.delete(found.lastOffset)
      // Compaction leaves the last batch of a producer as an empty one, and takes the marker that ended its transaction.
      if (this.#gaps && known === undefined && !this.#withRecords.has(found.lastOffset)) continue
      const named = `the transaction of producer ${found.producerId} that was aborted at ${found.lastOffset}`
      if (known === undefined) return `${named} is missing`
      if (!this.#isSame(known, found)) return `${named} has other offsets`
    }
    for (const known of stored.values()) {
      const mayBeOlder = !this.#complete || this.#gaps
      if (mayBeOlder && this.#abortsOfUnknown.get(known.lastOffset) === known.producerId) continue
      if (this.#gaps && !this.#present.has(known.lastOffset)) continue
      return `no transaction of producer ${known.producerId} was aborted at ${known.lastOffset}`
    }
    return null
  }

  /** What a snapshot taken at this point says otherwise; null: nothing. */
  wrongSnapshot(snapshot: ProducerState): string | null {
    if (this.#isLost) return null
    const exact = this.#complete && !this.#gaps
    for (const entry of snapshot.entries()) {
      const { producerId } = entry
      const known = this.#state.entry(producerId)
      if (known === undefined) {
        if (exact) return `producer ${producerId} has no batch in the log`
        continue
      }
      const last = entry.batches.at(-1)
      const knownLast = known.batches.at(-1)
      // The last batch itself may have been compacted away.
      if (this.#gaps && last?.lastOffset !== knownLast?.lastOffset) continue
      if (entry.epoch !== known.epoch) return `producer ${producerId} has epoch ${known.epoch}, not ${entry.epoch}`
      if (last?.lastOffset !== knownLast?.lastOffset || last?.lastSequence !== knownLast?.lastSequence) {
        return `the last batch of producer ${producerId} is another`
      }
      if (exact && entry.currentTxnFirstOffset !== known.currentTxnFirstOffset) {
        return `the open transaction of producer ${producerId} is another`
      }
    }
    if (!exact) return null
    // Producers without a transaction may have expired, those with one may not.
    for (const { producerId, currentTxnFirstOffset } of this.#state.entries()) {
      if (currentTxnFirstOffset < 0 || snapshot.entry(producerId) !== undefined) continue
      return `the open transaction of producer ${producerId} is missing`
    }
    return null
  }

  #notePresent(baseOffset: Offset, lastOffset: Offset): void {
    for (; this.#storedNext < this.#stored.length; this.#storedNext++) {
      const offset = this.#stored[this.#storedNext]!.lastOffset
      if (offset > lastOffset) break
      if (offset >= baseOffset) this.#present.add(offset)
    }
  }

  #isSame(stored: AbortedTransaction, found: AbortedTransaction): boolean {
    if (stored.producerId !== found.producerId) return false
    // Its first batches may be gone, or the marker of one before it.
    if (!this.#complete || this.#gaps) return true
    return stored.firstOffset === found.firstOffset && stored.lastStableOffset === found.lastStableOffset
  }
}
