// One partition's records on one broker: the seam between the log and everything above it.
// It speaks of bytes, offsets and epochs, never of topics, groups or users.
// Offsets are half-open: the log holds [logStartOffset, logEndOffset).

export type Offset = number

/** Settings of one log; all may change while it is open (`configure`). Names are Kafka's topic configs. */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** `fsync`: durable before it is confirmed (group commit). `page-cache`: written is enough, as Kafka. */
  readonly flushPolicy: 'fsync' | 'page-cache'
  readonly producerIdExpirationMs: number
  /** `cleanup.policy`: old segments go by age and size; the last record of each key stays. Both, one, or none. */
  readonly deletes: boolean
  readonly compacts: boolean
  /** Infinity: no limit. */
  readonly retentionMs: number
  /** Infinity: no limit. */
  readonly retentionBytes: number
  /** Files of deleted segments stay this long, renamed to `.deleted`. */
  readonly fileDeleteDelayMs: number
  /** A compacted log is cleaned when more than this part of it, by bytes, has not been. */
  readonly minCleanableDirtyRatio: number
  /** Younger records are not compacted. */
  readonly minCompactionLagMs: number
  /** Older records are compacted whatever the ratio; Infinity: no limit. */
  readonly maxCompactionLagMs: number
  /** Tombstones and transaction markers stay this long after a cleaning has seen them (KIP-534). */
  readonly deleteRetentionMs: number
  /**
   * What the disk budget does with this log when it is used up: `delete` drops its oldest segments, `refuse` refuses its producers,
   * `exempt` neither (internal topics).
   */
  readonly budgetPolicy: 'delete' | 'refuse' | 'exempt'
  /** Under the budget, records of weight 2 stay twice as long as those of weight 1. Greater than 0. */
  readonly budgetWeight: number
}

export type AppendRefusal =
  | 'recordListTooLarge' // the batch does not fit into one segment
  | 'invalidProducerEpoch'
  | 'outOfOrderSequence'
  | 'invalidTxnState'
  | 'diskFull' // the volume has no room; goes on by itself when there is
  | 'budgetExceeded' // the disk budget is used up, and this log may not lose records for it
  | 'offline' // a disk fault closed this log; see `fault`

export type Appended =
  | {
      readonly ok: true
      readonly baseOffset: Offset
      readonly lastOffset: Offset
      readonly duplicate: boolean
      readonly logAppendTimeMs: number
    }
  | { readonly ok: false; readonly refusal: AppendRefusal }

export type ReplicatedRefusal =
  | 'corrupt' // what came is not whole batches, or a checksum does not fit
  | 'outOfOrder' // a batch begins below the end of the log, or of the batch before it
  | 'newerEpoch' // of a leadership that came after the one they were asked of
  | 'diskFull'
  | 'budgetExceeded'
  | 'offline'

export type Replicated =
  | { readonly ok: true; readonly endOffset: Offset }
  /** Nothing was appended. */
  | { readonly ok: false; readonly refusal: ReplicatedRefusal }

export type LogRead =
  /** A chunk that lies in a slab is held for whoever asked, to be released when it was sent. */
  | { readonly ok: true; readonly chunks: readonly Uint8Array[]; readonly sizeBytes: number }
  | { readonly ok: false; readonly refusal: 'offsetOutOfRange' | 'offline' }

export interface TimestampAndOffset {
  readonly timestamp: number
  readonly offset: Offset
  readonly leaderEpoch: number
}

/** Told of progress, in order. Called from the log's own write loop: must not throw, must not block. */
export interface LogListener {
  /** Everything below `end` is in the operating system's page cache. */
  written(end: Offset): void
  /** Everything below `end` survives a crash (same as written when the flush policy is `page-cache`). */
  durable(end: Offset): void
  /** There was no room on the disk: the log ends at `end` now, and what was appended after it will never be confirmed. */
  dropped(end: Offset): void
  /** The disk failed; the log is offline from now on and nothing that waits will ever be confirmed. */
  failed(error: Error): void
}

export interface PartitionLog {
  /** Folder name, for log lines: `orders-0`. */
  readonly name: string
  readonly logStartOffset: Offset
  /** The start as a crash would leave it; below `logStartOffset` until what moved that is on the disk. */
  readonly keptStartOffset: Offset
  /** Offset the next record will get: appended, perhaps not yet written. */
  readonly logEndOffset: Offset
  readonly writtenOffset: Offset
  readonly durableOffset: Offset
  /** Told by who owns the log; the log's start until then. Retention and compaction leave alone what lies at or above it. */
  highWatermark: Offset
  /** First offset of the oldest open transaction, or null when none is open. */
  readonly firstUnstableOffset: Offset | null
  /** Epoch of the last record, or -1. */
  readonly latestEpoch: number
  readonly sizeBytes: number
  readonly fault: Error | null

  /** At most one listener: the partition that owns this log. */
  listen(listener: LogListener): void
  configure(config: LogConfig): void

  /**
   * Appends one batch whose bytes have passed the door (`records/validate-batch.ts`). Synchronous, so that calls keep arrival order:
   * checks the producer's state, stamps base offset and leader epoch into `batch` (outside the CRC), and queues the bytes.
   * The log keeps `batch` until it is written: the caller gives it away. Progress comes through the listener.
   * A retry that is among the producer's last five batches gives the first answer again (`duplicate`).
   * `coordinator` appends (markers, coordinator records) skip the client-only producer checks.
   */
  append(batch: Uint8Array, leaderEpoch: number, origin: 'client' | 'coordinator'): Appended

  /**
   * Appends what a leader's log holds, as it is: whole batches back to back, with the offsets and epochs they have there. Offsets may be
   * missing between them, as compaction leaves it. Synchronous, all or nothing, and without the checks that are for clients: what the
   * leader has let in is true. Checksums are verified. The log keeps `batches` until they are written. No batch may be of a leadership
   * after `leaderEpochMax`: the answer of a leader that was elected again meanwhile is of another log than the one that was compared.
   */
  appendReplicated(batches: Uint8Array, leaderEpochMax: number): Replicated

  /**
   * Whole batches, compressed bytes untouched: the batch that holds `from` and what follows below `upTo`, to `maxBytes`;
   * with `atLeastOne` the first batch comes however large it is. Empty at the end of the log.
   * Outside [logStartOffset, logEndOffset]: `offsetOutOfRange`.
   */
  read(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Promise<LogRead>

  /** `read` will soon be asked for this: what it has to bring from a file may be brought now. Nothing more follows from it. */
  expectRead(from: Offset, maxBytes: number, upTo: Offset): void

  /** First record whose timestamp is at least `timestamp`, below `upTo`; null when there is none. */
  findByTimestamp(timestamp: number, upTo: Offset): Promise<TimestampAndOffset | null>
  /** The record with the greatest timestamp (KIP-734), first of equals; null when the log is empty. */
  findMaxTimestamp(upTo: Offset): Promise<TimestampAndOffset | null>
  /** Largest epoch <= `epoch` that the log knows, and where it ended (KIP-101); (-1, -1) when unknown. */
  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: Offset }
  /** Epoch of the record at `offset`, or -1. */
  epochAt(offset: Offset): number
  /** Opens a leadership: remembers where `epoch` starts. Durable with the next append of that epoch. */
  startEpoch(epoch: number): void

  /**
   * Drops [end, logEndOffset): what the leader never had (KIP-101). Waits for writes under way. The log then ends where the last batch
   * that lies below `end` ends.
   */
  truncateTo(end: Offset): Promise<void>
  /** Drops everything, and goes on at `offset`, wherever that is: the leader no longer has what would join on to this log. */
  restartAt(offset: Offset): Promise<void>
  /** Drops [logStartOffset, start): retention, DeleteRecords. Whole segments go; the rest only becomes unreadable. */
  advanceStartTo(start: Offset): Promise<void>
  /** What was appended before the call survives a crash, whatever the flush policy. */
  sync(): Promise<void>
  /** Writes, syncs, closes the files. */
  close(): Promise<void>
}
