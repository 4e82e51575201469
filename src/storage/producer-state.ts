// What a partition remembers of its producers: enough to recognise a retry, to refuse a gap, to fence an old epoch (KIP-98), and to know
// which transactions are open. A pure state machine: `check` decides, `apply` follows; the log's own batches drive both, so
// the state after a restart is the state before it.
//
// | a client's batch | answer |
// |---|---|
// | epoch and sequences of one of the last five batches | duplicate: the first answer again |
// | epoch below the known one | invalidProducerEpoch |
// | first of a newer epoch, sequence not 0 | outOfOrderSequence |
// | same epoch, sequence not last + 1 (2147483647 wraps to 0) | outOfOrderSequence |
// | unknown producer | any sequence; with transaction.version 2 only 0 (KIP-890) |
// | not transactional while its producer has a transaction open | invalidTxnState |
// | a marker of an older coordinator | transactionCoordinatorFenced |
// | a marker with an epoch below the known one (version 2: not above it, unless nothing is open) | invalidProducerEpoch |
//
// Sources: Kafka's ProducerAppendInfo, ProducerStateEntry, ProducerStateManager.

import type { EndTransactionMarker } from '../records/control-batch.ts'
import { noProducerEpoch, noSequence } from '../records/batch.ts'
import type { Offset } from './partition-log.ts'
import type { AbortedTransaction } from './txn-index.ts'

/** How many batches of a producer are remembered, which is how many it may have in flight. */
const batchesRemembered = 5
const sequenceMax = 2147483647

/** What the state needs to know of a batch. Offsets are those it has, or would get. */
export interface ProducerBatch {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly maxTimestamp: number
  readonly transactional: boolean
  /** The transaction's end, when the batch is a control batch that ends one. */
  readonly marker: EndTransactionMarker | null
  /** A control batch that ends nothing (its record was compacted away) changes nothing. */
  readonly control: boolean
}

export interface RememberedBatch {
  readonly lastSequence: number
  readonly lastOffset: Offset
  readonly offsetDelta: number
  readonly timestamp: number
}

export interface ProducerEntry {
  readonly producerId: number
  epoch: number
  coordinatorEpoch: number
  /** When the producer was last heard of, by the timestamps of its batches and markers. */
  lastTimestamp: number
  /** First offset of its open transaction, or -1. */
  currentTxnFirstOffset: Offset
  /** Oldest first, at most five. */
  batches: RememberedBatch[]
}

export type ProducerRefusal =
  | 'invalidProducerEpoch'
  | 'outOfOrderSequence'
  | 'invalidTxnState'
  | 'transactionCoordinatorFenced'

export type ProducerCheck =
  | { readonly kind: 'ok' }
  | { readonly kind: 'duplicate'; readonly batch: RememberedBatch }
  | { readonly kind: 'refused'; readonly refusal: ProducerRefusal }

const ok: ProducerCheck = { kind: 'ok' }
const refused = {
  invalidProducerEpoch: { kind: 'refused', refusal: 'invalidProducerEpoch' },
  outOfOrderSequence: { kind: 'refused', refusal: 'outOfOrderSequence' },
  invalidTxnState: { kind: 'refused', refusal: 'invalidTxnState' },
  transactionCoordinatorFenced: { kind: 'refused', refusal: 'transactionCoordinatorFenced' },
} as const satisfies Record<ProducerRefusal, ProducerCheck>

/** An open or ended transaction of one producer. */
interface EndedTransaction {
  readonly firstOffset: Offset
  readonly lastOffset: Offset
}

export class ProducerState {
  readonly #producers = new Map<number, ProducerEntry>()
  /** First offset of each open transaction -> its producer; offsets only grow, so the first key is the oldest. */
  readonly #open = new Map<Offset, number>()
  /** Ended, but the marker is perhaps not below the high watermark yet. By first offset of the marker's append order. */
  #ended: EndedTransaction[] = []
  /** False only while none is open or ended: each fetch asks each of its partitions, and this is one look instead of four. */
  #mayBeUnstable = false

  constructor(entries: Iterable<ProducerEntry> = []) {
    for (const entry of entries) this.#producers.set(entry.producerId, entry)
    const open = [...this.#producers.values()].filter((entry) => entry.currentTxnFirstOffset >= 0)
    open.sort((one, other) => one.currentTxnFirstOffset - other.currentTxnFirstOffset)
    for (const entry of open) this.#open.set(entry.currentTxnFirstOffset, entry.producerId)
    this.#mayBeUnstable = this.#open.size > 0
  }

  get size(): number {
    return this.#producers.size
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#producers.values()
  }

  entry(producerId: number): ProducerEntry | undefined {
    return this.#producers.get(producerId)
  }

  /** First offset of the oldest open transaction, or null. */
  get firstOpenOffset(): Offset | null {
    for (const offset of this.#open.keys()) return offset
    return null
  }

  /**
   * First offset of the oldest transaction that is open, or whose marker is not below `highWatermark` yet; null when there is
   * none. High watermarks only grow between truncations, so what is below is forgotten.
   */
  firstUnstableOffset(highWatermark: Offset): Offset | null {
    if (!this.#mayBeUnstable) return null
    if (this.#ended.length > 0 && this.#ended.some((transaction) => transaction.lastOffset < highWatermark)) {
      this.#ended = this.#ended.filter((transaction) => transaction.lastOffset >= highWatermark)
    }
    let first = this.firstOpenOffset
    for (const { firstOffset } of this.#ended) if (first === null || firstOffset < first) first = firstOffset
    this.#mayBeUnstable = first !== null
    return first
  }

  /** Whether the producer has a transaction open in this epoch. */
  hasOpenTransaction(producerId: number, epoch: number): boolean {
    const entry = this.#producers.get(producerId)
    return entry !== undefined && entry.currentTxnFirstOffset >= 0 && entry.epoch === epoch
  }

  /** A client's data batch. `transactionVersion` 2 holds an unknown producer to sequence 0. */
  checkClient(batch: ProducerBatch, transactionVersion: number): ProducerCheck {
    const entry = this.#producers.get(batch.producerId)
    if (entry === undefined) {
      return transactionVersion >= 2 && batch.baseSequence !== 0 ? refused.outOfOrderSequence : ok
    }
    if (batch.producerEpoch === entry.epoch) {
      for (const known of entry.batches) {
        if (known.lastSequence === batch.lastSequence && firstSequenceOf(known) === batch.baseSequence) {
          return { kind: 'duplicate', batch: known }
        }
      }
    }
    if (batch.producerEpoch < entry.epoch) return refused.invalidProducerEpoch
    if (batch.producerEpoch !== entry.epoch) {
      if (batch.baseSequence !== 0 && entry.epoch !== noProducerEpoch) return refused.outOfOrderSequence
    } else if (entry.epoch !== noProducerEpoch && !follows(lastSequenceOf(entry), batch.baseSequence)) {
      return refused.outOfOrderSequence
    }
    if (entry.currentTxnFirstOffset >= 0 && !batch.transactional) return refused.invalidTxnState
    return ok
  }

  /** A coordinator's batch: offset commits of a transaction, or a marker. No sequences there, only epochs. */
  checkCoordinator(batch: ProducerBatch, transactionVersion: number): ProducerCheck {
    const entry = this.#producers.get(batch.producerId)
    if (entry === undefined) return ok
    if (batch.marker === null) {
      if (batch.producerEpoch < entry.epoch) return refused.invalidProducerEpoch
      return entry.currentTxnFirstOffset >= 0 && !batch.transactional && !batch.control ? refused.invalidTxnState : ok
    }
    const epochIsOld = transactionVersion >= 2 ? batch.producerEpoch <= entry.epoch : batch.producerEpoch < entry.epoch
    // A marker that is sent again after the transaction has ended: its coordinator never heard the first answer (KAFKA-19999).
    const sentAgain = batch.producerEpoch === entry.epoch && entry.currentTxnFirstOffset < 0
    if (epochIsOld && !(transactionVersion >= 2 && sentAgain)) return refused.invalidProducerEpoch
    return entry.coordinatorEpoch > batch.marker.coordinatorEpoch ? refused.transactionCoordinatorFenced : ok
  }

  /**
   * The batch is in the log. Answers the transaction it aborted, if any. Never refuses: what the leader has accepted, or the disk
   * has kept, is true.
   */
  apply(batch: ProducerBatch): AbortedTransaction | null {
    if (batch.control && batch.marker === null) return null
    let entry = this.#producers.get(batch.producerId)
    if (entry === undefined) {
      entry = newEntry(batch.producerId)
      this.#producers.set(batch.producerId, entry)
    }
    if (entry.epoch !== batch.producerEpoch) {
      entry.epoch = batch.producerEpoch
      entry.batches = []
    }
    entry.lastTimestamp = batch.maxTimestamp
    if (batch.marker !== null) return this.#end(entry, batch, batch.marker)
    if (entry.batches.length === batchesRemembered) entry.batches.shift()
    entry.batches.push({
      lastSequence: batch.lastSequence,
      lastOffset: batch.lastOffset,
      offsetDelta: batch.lastOffset - batch.baseOffset,
      timestamp: batch.maxTimestamp,
    })
    if (batch.transactional && entry.currentTxnFirstOffset < 0) {
      entry.currentTxnFirstOffset = batch.baseOffset
      this.#open.set(batch.baseOffset, batch.producerId)
      this.#mayBeUnstable = true
    }
    return null
  }

  /** Forgets producers that are silent for `expirationMs` and have no transaction open; answers how many. */
  expire(now: number, expirationMs: number): number {
    let expired = 0
    for (const entry of this.#producers.values()) {
      if (entry.currentTxnFirstOffset >= 0 || now - entry.lastTimestamp < expirationMs) continue
      this.#producers.delete(entry.producerId)
      expired++
    }
    return expired
  }

  /** Records below `start` are gone; ended transactions there hold nobody up. Producers stay known (KAFKA-7190). */
  startAt(start: Offset): void {
    this.#ended = this.#ended.filter((transaction) => transaction.lastOffset >= start)
  }

  #end(entry: ProducerEntry, batch: ProducerBatch, marker: EndTransactionMarker): AbortedTransaction | null {
    const firstOffset = entry.currentTxnFirstOffset
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.currentTxnFirstOffset = -1
    if (firstOffset < 0) return null
    this.#open.delete(firstOffset)
    this.#ended.push({ firstOffset, lastOffset: batch.lastOffset })
    if (marker.kind === 'commit') return null
    const lastStableOffset = this.firstOpenOffset ?? batch.lastOffset + 1
    return { producerId: entry.producerId, firstOffset, lastOffset: batch.lastOffset, lastStableOffset }
  }
}

export function newEntry(producerId: number): ProducerEntry {
  return {
    producerId,
    epoch: noProducerEpoch,
    coordinatorEpoch: -1,
    lastTimestamp: -1,
    currentTxnFirstOffset: -1,
    batches: [],
  }
}

function lastSequenceOf(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? noSequence
}

/** Counted back from the last one; below 0 it wraps to 2147483647. */
function firstSequenceOf(batch: RememberedBatch): number {
  const first = batch.lastSequence - batch.offsetDelta
  return first >= 0 || batch.lastSequence < 0 ? first : first + sequenceMax + 1
}

function follows(last: number, next: number): boolean {
  return next === last + 1 || (next === 0 && last === sequenceMax)
}
