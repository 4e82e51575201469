// Partitions as a fetch asks for them, for tests that care about nothing but which they are.

import { ZERO_UUID } from '../lib/uuid.ts'
import type { FetchPartitions } from './fetch-partitions.ts'

/** `partitions` takes these of `topic` as a request would bring them. */
export function take(partitions: FetchPartitions, topic: string, indexes: readonly number[]): void {
  const requested = indexes.map((partition) => ({
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 100,
    replicaDirectoryId: ZERO_UUID,
    highWatermark: -1n,
  }))
  partitions.take([{ topic, topicId: ZERO_UUID, partitions: requested }])
}
