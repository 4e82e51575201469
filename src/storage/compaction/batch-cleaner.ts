// What a cleaning leaves of each batch, by Kafka's rules (Cleaner.cleanInto):
//
// - a record stays if it is the last of its key in the range that was mapped; those above the range all stay, those without a key none
// - a tombstone stays until the delete horizon of its batch, which the first cleaning that sees it sets (KIP-534)
// - of aborted transactions nothing stays; a marker stays while its transaction has batches, and then until its horizon
// - the batch with the last sequence of a producer that is still known stays, emptied if need be; so does the batch that ends where the
//   cleaning ends, so that the log goes on where it went on before

import {
  baseTimestampOf,
  hasDeleteHorizon,
  isControl,
  lastOffsetOf,
  nextOffsetOf,
  producerEpochOf,
  producerIdOf,
  recordsCountOf,
} from '../../records/batch.ts'
import { emptyBatch, filterBatch, type KeepRecord } from '../../records/filter-batch.ts'
import type { Offset } from '../partition-log.ts'
import type { CleanedTransactions } from './cleaned-transactions.ts'
import { type CleaningJob, unpackProducers } from './cleaning-job.ts'
import type { KeyMap } from './key-map.ts'

export class BatchCleaner {
  readonly #job: CleaningJob
  readonly #keys: KeyMap
  /** From here on no key was mapped. */
  readonly #endOffset: Offset
  readonly #transactions: CleanedTransactions
  readonly #producers: ReturnType<typeof unpackProducers>
  readonly #keep: KeepRecord
  /** The batch at hand has tombstones that may go. */
  #tombstonesGo = false
  recordsRead = 0
  recordsKept = 0
  recordsWithoutKey = 0

  constructor(job: CleaningJob, keys: KeyMap, endOffset: Offset, transactions: CleanedTransactions) {
    this.#job = job
    this.#keys = keys
    this.#endOffset = endOffset
    this.#transactions = transactions
    this.#producers = unpackProducers(job.producers)
    this.#keep = (record, offset) => {
      if (offset >= this.#endOffset) return true
      if (record.keyLength < 0) {
        this.recordsWithoutKey++
        return false
      }
      if (record.valueLength < 0 && this.#tombstonesGo) return false
      return offset >= this.#keys.get(record.bytes, record.keyAt, record.keyAt + record.keyLength)
    }
  }

  /** What is left of the batch: the very bytes, others, or null for nothing. Throws when its records cannot be read. */
  clean(batch: Uint8Array): Uint8Array | null {
    const count = recordsCountOf(batch)
    this.recordsRead += count
    const { bytes, kept } = isControl(batch) ? this.#cleanMarker(batch) : this.#cleanRecords(batch)
    this.recordsKept += kept
    return kept > 0 || this.#staysEmpty(batch) ? bytes : null
  }

  #cleanMarker(batch: Uint8Array): { bytes: Uint8Array; kept: number } {
    const ofNothing = this.#transactions.isMarkerOfNothing(batch)
    if (ofNothing && this.#isPastHorizon(batch)) return { bytes: emptyBatch(batch), kept: 0 }
    return filterBatch(batch, () => true, { deleteHorizonMs: ofNothing ? this.#horizonMs : undefined })
  }

  #cleanRecords(batch: Uint8Array): { bytes: Uint8Array; kept: number } {
    if (this.#transactions.isAborted(batch)) return { bytes: emptyBatch(batch), kept: 0 }
    this.#tombstonesGo = this.#isPastHorizon(batch)
    return filterBatch(batch, this.#keep, { tombstoneHorizonMs: this.#horizonMs })
  }

  get #horizonMs(): number {
    return this.#job.nowMs + this.#job.deleteRetentionMs
  }

  #isPastHorizon(batch: Uint8Array): boolean {
    return hasDeleteHorizon(batch) && baseTimestampOf(batch) <= this.#job.nowMs
  }

  /** Whether the header is needed though no record is left. */
  #staysEmpty(batch: Uint8Array): boolean {
    if (nextOffsetOf(batch) === this.#job.firstUncleanableOffset) return true
    const last = this.#producers.get(producerIdOf(batch))
    if (last === undefined) return false
    if (last.lastDataOffset >= 0) return lastOffsetOf(batch) === last.lastDataOffset
    return isControl(batch) && producerEpochOf(batch) === last.epoch
  }
}
