// Which transactions a cleaning is in the middle of: the records of aborted ones go, and a marker goes once nothing is left of its
// transaction (Kafka's CleanedTransactionMetadata). To be shown every batch of a range, in order.

import { baseOffsetOf, isTransactional, lastOffsetOf, producerIdOf, recordsCountOf } from '../../records/batch.ts'
import { endTransactionMarkerOf } from '../../records/control-batch.ts'
import type { AbortedTransaction } from '../txn-index.ts'
import { transactionAt } from './cleaning-job.ts'

interface OpenAborted {
  readonly transaction: AbortedTransaction
  /** A batch of it is in the log yet. */
  seen: boolean
}

export class CleanedTransactions {
  readonly #aborted: Float64Array
  #next = 0
  readonly #openAborted = new Map<number, OpenAborted>()
  readonly #openCommitted = new Set<number>()
  /** Called with each aborted transaction whose marker stays because of its batches: what an index of the cleaned log must say. */
  onAborted: (transaction: AbortedTransaction) => void = () => {}

  /** `aborted`: as `packTransactions` gives it. */
  constructor(aborted: Float64Array) {
    this.#aborted = aborted
  }

  /** A batch of records: whether it is of an aborted transaction. */
  isAborted(batch: Uint8Array): boolean {
    this.#openUpTo(batch)
    if (!isTransactional(batch)) return false
    const producerId = producerIdOf(batch)
    const open = this.#openAborted.get(producerId)
    if (open === undefined) {
      this.#openCommitted.add(producerId)
      return false
    }
    open.seen = true
    return true
  }

  /** A control batch: whether nothing is left of what it ended. */
  isMarkerOfNothing(batch: Uint8Array): boolean {
    this.#openUpTo(batch)
    if (recordsCountOf(batch) === 0) return true
    const marker = endTransactionMarkerOf(batch)
    if (marker === undefined) return false
    const producerId = producerIdOf(batch)
    if (marker.kind === 'commit') return !this.#openCommitted.delete(producerId)
    const open = this.#openAborted.get(producerId)
    this.#openAborted.delete(producerId)
    if (open?.seen !== true) return true
    this.onAborted(open.transaction)
    return false
  }

  #openUpTo(batch: Uint8Array): void {
    const lastOffset = lastOffsetOf(batch)
    for (;;) {
      const transaction = transactionAt(this.#aborted, this.#next)
      if (transaction === undefined || transaction.firstOffset > lastOffset) return
      this.#next++
      // It ended before what is shown began.
      if (transaction.lastOffset < baseOffsetOf(batch)) continue
      this.#openAborted.set(transaction.producerId, { transaction, seen: false })
    }
  }
}
