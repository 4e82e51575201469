// What a follower checks of the batches that its leader sent, before any of them enters the log.

import { baseOffsetOf, computedCrcOf, crcOf, lastOffsetDeltaOf, leaderEpochOf, nextOffsetOf } from '../records/batch.ts'
import { forEachBatch } from '../records/batches-in.ts'
import type { Offset, ReplicatedRefusal } from './partition-log.ts'

/** Null when all of them may be appended to a log that ends at `logEndOffset`. */
export function replicatedRefusal(
  batches: Uint8Array,
  logEndOffset: Offset,
  leaderEpochMax: number,
): ReplicatedRefusal | null {
  let end = logEndOffset
  let refusal: ReplicatedRefusal | null = null
  const range = forEachBatch(batches, (at) => {
    if (lastOffsetDeltaOf(batches, at) < 0 || crcOf(batches, at) !== computedCrcOf(batches, at)) refusal = 'corrupt'
    else if (leaderEpochOf(batches, at) > leaderEpochMax) refusal = 'newerEpoch'
    else if (baseOffsetOf(batches, at) < end) refusal = 'outOfOrder'
    end = nextOffsetOf(batches, at)
    return refusal === null
  })
  return refusal ?? (range.end === 'whole' ? null : 'corrupt')
}
