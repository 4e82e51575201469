// What a coordinator needs of the internal partition that holds its state; the composition root hands in the real one.

import type { Appended, AppendRefusal, LogRead, Offset } from '../storage/partition-log.ts'

/** `leaseLapsed`: nothing is appended until the broker's place in the cluster is certain again, or is lost for good. */
export type CoordinatorRefusal = AppendRefusal | 'leaseLapsed'

export type CoordinatorAppended =
  | Extract<Appended, { readonly ok: true }>
  | { readonly ok: false; readonly refusal: CoordinatorRefusal }

/** One partition of an internal topic that this broker leads right now. */
export interface CoordinatorPartition {
  readonly leaderEpoch: number
  readonly logStartOffset: Offset
  readonly highWatermark: Offset
  /** Larger batches are not written: the topic does not allow them, or they would not go into a segment. */
  readonly batchBytesMax: number
  /** Synchronous, keeps call order; the batch's bytes are given away. */
  append(batch: Uint8Array): CoordinatorAppended
  /**
   * Resolves once `end` <= high watermark; rejects with `AppendsDropped` when there was no room on the disk, and otherwise when this
   * broker stops leading the partition or its disk fails.
   */
  committed(end: Offset): Promise<void>
  /**
   * Whole batches from the one that holds `from`, about `maxBytes` of them but at least one; empty at the end of the log. Reaches to
   * the log end offset, not only to the high watermark: what a leader holds will be committed, and a coordinator that did not
   * load it would decide on old state.
   */
  read(from: Offset, maxBytes: number): Promise<LogRead>
}

/** There was no room on the disk for what was appended last: the log no longer has it, and takes more when there is room. */
export class AppendsDropped extends Error {
  override readonly name = 'AppendsDropped'
}

export interface CoordinatorTopic {
  /** Whether this broker may coordinate anything now: asked at each request, for it may have lost its place in the cluster. */
  serves(): boolean
  /** Partitions of the topic; null while it does not exist. */
  partitionCount(): number | null
  /** Creates the topic when it does not exist; resolves with its partition count once every partition has a leader. */
  ensure(): Promise<number>
  /** Broker id that leads the partition, or -1. */
  leaderOf(index: number): number
}
