// Group records as bytes: Kafka's own, so that its tools read this broker's __consumer_offsets and this broker reads Kafka's.

import {
  groupMetadata,
  type GroupMetadataValue,
  legacyOffsetCommit,
  offsetCommit,
} from '../../protocol/group-records/classic-groups.ts'
import { recordTypeOf } from '../../protocol/schema/index.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { EntryCodec, KeyValue } from '../effect.ts'
import { decodeConsumerGroupRecord, encodeConsumerGroupRecord } from './consumer/consumer-group-record-codec.ts'
import type { CommittedOffset, GroupGeneration, GroupRecord } from './group-record.ts'

/** As Kafka 4.3 writes them. Only version 1 has an expire time; only version 4 a topic id. */
const generationVersion = 3
const offsetVersion = 4
const offsetWithExpiryVersion = 1

export const groupRecordCodec: EntryCodec<GroupRecord> = {
  encode(record: GroupRecord): KeyValue {
    const { groupId: group } = record
    switch (record.kind) {
      case 'generation':
        return { key: groupMetadata.encodeKey({ group }), value: encodeGeneration(record.value) }
      case 'groupDeleted':
        return { key: groupMetadata.encodeKey({ group }), value: null }
      case 'offset': {
        const { topic, partition, value } = record
        const version = value.expireTimestamp >= 0 ? offsetWithExpiryVersion : offsetVersion
        return {
          key: offsetCommit.encodeKey({ group, topic, partition }),
          value: offsetCommit.encodeValue(value, version),
        }
      }
      case 'offsetDeleted': {
        const { topic, partition } = record
        return { key: offsetCommit.encodeKey({ group, topic, partition }), value: null }
      }
      case 'consumerEpoch':
      case 'consumerPartitionMetadata':
      case 'consumerMember':
      case 'consumerTargetEpoch':
      case 'consumerTarget':
      case 'consumerAssignment':
      case 'consumerRegex':
        return encodeConsumerGroupRecord(record)
    }
  },

  decode(record: KeyValue): GroupRecord | null {
    const { key, value } = record
    switch (recordTypeOf(key)) {
      case groupMetadata.type: {
        const { group: groupId } = groupMetadata.decodeKey(key)
        if (value === null) return { kind: 'groupDeleted', groupId }
        return { kind: 'generation', groupId, value: decodeGeneration(groupMetadata.decodeValue(value)) }
      }
      case offsetCommit.type: {
        const { group: groupId, topic, partition } = offsetCommit.decodeKey(key)
        if (value === null) return { kind: 'offsetDeleted', groupId, topic, partition }
        return { kind: 'offset', groupId, topic, partition, value: offsetCommit.decodeValue(value) }
      }
      case legacyOffsetCommit.type: {
        const { group: groupId, topic, partition } = legacyOffsetCommit.decodeKey(key)
        if (value === null) return { kind: 'offsetDeleted', groupId, topic, partition }
        return { kind: 'offset', groupId, topic, partition, value: decodeLegacy(value) }
      }
      default:
        return decodeConsumerGroupRecord(record)
    }
  },
}

function decodeLegacy(bytes: Uint8Array): CommittedOffset {
  return { ...legacyOffsetCommit.decodeValue(bytes), leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID }
}

function encodeGeneration(value: GroupGeneration): Uint8Array {
  const members = value.members.map(({ rebalanceTimeoutMs, sessionTimeoutMs, ...member }) => ({
    ...member,
    rebalanceTimeout: rebalanceTimeoutMs,
    sessionTimeout: sessionTimeoutMs,
  }))
  return groupMetadata.encodeValue({ ...value, members }, generationVersion)
}

/** Bytes are copied: what is kept for long must not hold on to a whole read of the log. */
function decodeGeneration(value: GroupMetadataValue): GroupGeneration {
  const members = value.members.map(({ rebalanceTimeout, sessionTimeout, subscription, assignment, ...member }) => ({
    ...member,
    rebalanceTimeoutMs: rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout, // version 0 had one for both
    sessionTimeoutMs: sessionTimeout,
    subscription: new Uint8Array(subscription),
    assignment: new Uint8Array(assignment),
  }))
  return { ...value, members }
}
