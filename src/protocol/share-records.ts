// What share groups were delivered (KIP-932), in __share_group_state.
// A snapshot now and then, and updates to it in between.

import { array, int16, int32, int64, int8, record, string, struct, tagged, uuid } from './schema/index.ts'
import type { RecordKeyOf, RecordValueOf } from './schema/index.ts'

const stateBatch = struct({
  firstOffset: int64,
  lastOffset: int64,
  deliveryState: int8,
  deliveryCount: int16,
})

/** Everything known of a share partition. State batches are ranges of offsets in the same state. */
export const shareSnapshot = record({
  type: 0,
  name: 'ShareSnapshot',
  key: { groupId: string, topicId: uuid, partition: int32 },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      snapshotEpoch: int32,
      stateEpoch: int32,
      leaderEpoch: int32,
      startOffset: int64,
      deliveryCompleteCount: tagged(0, int32, -1),
      createTimestamp: int64,
      writeTimestamp: int64,
      stateBatches: array(stateBatch),
    },
  },
})

export type ShareSnapshotKey = RecordKeyOf<typeof shareSnapshot>
export type ShareSnapshotValue = RecordValueOf<typeof shareSnapshot>

/** A change since the snapshot of the same epoch. */
export const shareUpdate = record({
  type: 1,
  name: 'ShareUpdate',
  key: { groupId: string, topicId: uuid, partition: int32 },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      snapshotEpoch: int32,
      leaderEpoch: int32,
      startOffset: int64,
      deliveryCompleteCount: tagged(0, int32, -1),
      stateBatches: array(stateBatch),
    },
  },
})

export type ShareUpdateKey = RecordKeyOf<typeof shareUpdate>
export type ShareUpdateValue = RecordValueOf<typeof shareUpdate>
