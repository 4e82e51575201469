// Committed offsets, of every kind of group, and classic groups, in __consumer_offsets.

import {
  array,
  between,
  bytes,
  emptyOrNull,
  ignorable,
  int32,
  int64,
  nullable,
  record,
  since,
  string,
  struct,
  tagged,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RecordKeyOf, RecordValueOf } from '../schema/index.ts'

/** A committed offset in an older form: still read, never written. */
export const legacyOffsetCommit = record({
  type: 0,
  name: 'LegacyOffsetCommit',
  key: { group: string, topic: string, partition: int32 },
  value: {
    versions: [0, 0],
    fields: {
      offset: int64,
      metadata: string,
      commitTimestamp: int64,
    },
  },
})

export type LegacyOffsetCommitKey = RecordKeyOf<typeof legacyOffsetCommit>
export type LegacyOffsetCommitValue = RecordValueOf<typeof legacyOffsetCommit>

/**
 * A committed offset. Value 1: an expiry of its own, written only when a client asked for one. 2: none. 3: leader
 * epoch (KIP-320). 4: flexible, topic id (KIP-848).
 */
export const offsetCommit = record({
  type: 1,
  name: 'OffsetCommit',
  key: { group: string, topic: string, partition: int32 },
  value: {
    versions: [0, 4],
    flexibleSince: 4,
    fields: {
      offset: int64,
      leaderEpoch: since(3, ignorable(withDefault(int32, -1))),
      metadata: string,
      commitTimestamp: int64,
      expireTimestamp: between(1, 1, ignorable(withDefault(int64, -1))),
      topicId: since(4, ignorable(tagged(0, uuid))),
    },
  },
})

export type OffsetCommitKey = RecordKeyOf<typeof offsetCommit>
export type OffsetCommitValue = RecordValueOf<typeof offsetCommit>

const memberMetadata = struct({
  memberId: string,
  groupInstanceId: since(3, ignorable(nullable(string))),
  clientId: string,
  clientHost: string,
  rebalanceTimeout: since(1, ignorable(withDefault(int32, -1))),
  sessionTimeout: int32,
  subscription: bytes,
  assignment: bytes,
})

/**
 * A classic group after a rebalance: its generation and its members. Value 1: rebalance timeout. 2: time of the last
 * change of state. 3: static members (KIP-345). 4: flexible.
 */
export const groupMetadata = record({
  type: 2,
  name: 'GroupMetadata',
  key: { group: string },
  value: {
    versions: [0, 4],
    flexibleSince: 4,
    fields: {
      protocolType: string,
      generation: int32,
      protocol: emptyOrNull(string),
      leader: emptyOrNull(string),
      currentStateTimestamp: since(2, ignorable(withDefault(int64, -1))),
      members: array(memberMetadata),
    },
  },
})

export type GroupMetadataKey = RecordKeyOf<typeof groupMetadata>
export type GroupMetadataValue = RecordValueOf<typeof groupMetadata>
