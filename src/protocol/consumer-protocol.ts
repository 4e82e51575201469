// What members of a classic group of consumers say to each other through JoinGroup and SyncGroup. The broker passes
// it on unread, and reads it only to describe a group and to let it move to the KIP-848 protocol.
// Subscription 1: partitions already owned (KIP-429). 2: the generation they were owned in (KIP-792).
// 3: rack (KIP-881). The assignment is the same in all versions.

import {
  array,
  bytes,
  ignorable,
  int32,
  nullable,
  since,
  string,
  struct,
  versioned,
  withDefault,
} from './schema/index.ts'
import type { DecodedOf } from './schema/index.ts'

const topicPartition = struct({ topic: string, partitions: array(int32) })

/** A member's wishes: the metadata of a protocol in JoinGroup. */
export const consumerProtocolSubscription = versioned({
  versions: [0, 3],
  readsLaterVersions: true,
  fields: {
    topics: array(string),
    userData: nullable(bytes),
    ownedPartitions: since(1, ignorable(array(topicPartition))),
    generationId: since(2, ignorable(withDefault(int32, -1))),
    rackId: since(3, ignorable(nullable(string))),
  },
})

/** What the leader gave a member: the assignment in SyncGroup. */
export const consumerProtocolAssignment = versioned({
  versions: [0, 3],
  readsLaterVersions: true,
  fields: { assignedPartitions: array(topicPartition), userData: nullable(bytes) },
})

export type ConsumerProtocolSubscription = DecodedOf<typeof consumerProtocolSubscription>
export type ConsumerProtocolAssignment = DecodedOf<typeof consumerProtocolAssignment>
