// What a partition asks of its log, and what it answers about it.

import type { Offset, PartitionLog } from '../storage/partition-log.ts'

/** What a partition asks of its log beyond what every log can tell. */
export interface ReplicaLog extends PartitionLog {
  /** Bytes appended and not yet written. */
  readonly queuedBytes: number
  /**
   * First offset of the oldest transaction that is open, or whose marker is not below `highWatermark`; null when there is none.
   * Asked with high watermarks that do not fall.
   */
  firstUnstableOffsetAt(highWatermark: Offset): Offset | null
  /** Aborted transactions that overlap [from, upTo). Rejects when the disk fails. */
  abortedTransactions(from: Offset, upTo: Offset): Promise<readonly AbortedTransaction[]>
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
}

export type DeletedRecords =
  /** `lowWatermark`: the start of every replica is at or above it. */
  | { readonly ok: true; readonly lowWatermark: Offset }
  | {
      readonly ok: false
      readonly refusal:
        | 'notLeading'
        /** Negative, or above the high watermark. */
        | 'offsetOutOfRange'
        /** The topic is compacted only: its records go by key. */
        | 'compactedOnly'
    }
