// The records of KRaft's metadata log (`__cluster_metadata-0`): those that say what a broker's data folder holds, and those that a
// reader must know of to say what it leaves out. A record has no key; its value is a frame (KIP-631): version 1, the record's API key
// and its version as unsigned varints, then the message.

import {
  array,
  bool,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  message,
  emptyOrNull,
  nullable,
  since,
  string,
  struct,
  tagged,
  uint16,
  uuid,
  withDefault,
  DecodeError,
  WireReader,
} from './schema/index.ts'
import type { DecodedOf, Fields, Message, StructOf, VersionRange } from './schema/index.ts'

const frameVersion = 1

/** A record whose message has not been decoded. */
export interface MetadataFrame {
  readonly apiKey: number
  readonly version: number
  readonly body: Uint8Array
}

/** Throws `DecodeError` when the value is no frame. */
export function metadataFrameOf(value: Uint8Array): MetadataFrame {
  const reader = new WireReader(value)
  const found = reader.uvarint()
  if (found !== frameVersion) throw new DecodeError(`unknown frame version ${found}`, 0)
  const apiKey = reader.uvarint()
  const version = reader.uvarint()
  return { apiKey, version, body: value.subarray(reader.position) }
}

export interface MetadataRecordType<T> extends Message<T> {
  readonly apiKey: number
  readonly name: string
  /** Throws `DecodeError`, also for a version that a later Kafka wrote. */
  decode(frame: MetadataFrame): T
}

function metadataRecord<const F extends Fields>(
  apiKey: number,
  name: string,
  versions: VersionRange,
  fields: F,
): MetadataRecordType<StructOf<F>> {
  const base = message({ versions, flexibleSince: 0, fields })
  return {
    ...base,
    apiKey,
    name,
    decode: ({ version, body }) => {
      if (!base.has(version)) throw new DecodeError(`${name} of unknown version ${version}`, 0)
      const reader = new WireReader(body)
      const value = base.at(version).read(reader)
      reader.finish()
      return value
    },
  }
}

/** A broker has joined, or come back. Version 1: controlled shutdown. 2: migration from ZooKeeper. 3: its folders (KIP-858). 4: cordoned ones. */
export const registerBrokerRecord = metadataRecord(0, 'RegisterBrokerRecord', [0, 4], {
  brokerId: int32,
  isMigratingZkBroker: since(2, bool),
  incarnationId: uuid,
  brokerEpoch: int64,
  endPoints: array(struct({ name: string, host: string, port: uint16, securityProtocol: int16 })),
  features: array(struct({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 })),
  rack: emptyOrNull(string),
  fenced: withDefault(bool, true),
  inControlledShutdown: since(1, bool),
  logDirs: since(3, tagged(0, array(uuid))),
  cordonedLogDirs: since(4, tagged(1, nullable(array(uuid)))),
})

/** A broker was removed from the cluster for good. */
export const unregisterBrokerRecord = metadataRecord(1, 'UnregisterBrokerRecord', [0, 0], {
  brokerId: int32,
  brokerEpoch: int64,
})

export const topicRecord = metadataRecord(2, 'TopicRecord', [0, 0], { name: string, topicId: uuid })

/** A partition as it is. Version 1: the folder of each replica (KIP-858). 2: eligible leader replicas (KIP-966). */
export const partitionRecord = metadataRecord(3, 'PartitionRecord', [0, 2], {
  partitionId: withDefault(int32, -1),
  topicId: uuid,
  replicas: array(int32),
  isr: array(int32),
  removingReplicas: array(int32),
  addingReplicas: array(int32),
  leader: withDefault(int32, -1),
  leaderRecoveryState: tagged(0, int8),
  leaderEpoch: withDefault(int32, -1),
  partitionEpoch: withDefault(int32, -1),
  directories: since(1, array(uuid)),
  eligibleLeaderReplicas: since(2, tagged(1, nullable(array(int32)))),
  lastKnownElr: since(2, tagged(2, nullable(array(int32)))),
})

/** One config of one resource; null takes it back. Resource types are those of `IncrementalAlterConfigs`. */
export const configRecord = metadataRecord(4, 'ConfigRecord', [0, 0], {
  resourceType: int8,
  resourceName: string,
  name: string,
  value: emptyOrNull(string),
})

/** Of a change in `leader`: nobody is elected, nothing changes. */
export const noLeaderChange = -2

/** What changes of a partition; null: nothing. Versions as of `partitionRecord`. */
export const partitionChangeRecord = metadataRecord(5, 'PartitionChangeRecord', [0, 2], {
  partitionId: withDefault(int32, -1),
  topicId: uuid,
  isr: tagged(0, nullable(array(int32))),
  leader: tagged(1, int32, noLeaderChange),
  replicas: tagged(2, nullable(array(int32))),
  removingReplicas: tagged(3, nullable(array(int32))),
  addingReplicas: tagged(4, nullable(array(int32))),
  leaderRecoveryState: tagged(5, int8, -1),
  directories: since(1, tagged(8, nullable(array(uuid)))),
  eligibleLeaderReplicas: since(2, tagged(6, nullable(array(int32)))),
  lastKnownElr: since(2, tagged(7, nullable(array(int32)))),
})

export const removeTopicRecord = metadataRecord(9, 'RemoveTopicRecord', [0, 0], { topicId: uuid })

export const userScramCredentialRecord = metadataRecord(11, 'UserScramCredentialRecord', [0, 0], {
  name: string,
  mechanism: int8,
  salt: bytes,
  storedKey: bytes,
  serverKey: bytes,
  iterations: int32,
})

/** `metadata.version` and other features that the cluster has agreed on. */
export const featureLevelRecord = metadataRecord(12, 'FeatureLevelRecord', [0, 0], {
  name: string,
  featureLevel: int16,
})

export const clientQuotaRecord = metadataRecord(14, 'ClientQuotaRecord', [0, 0], {
  entity: array(struct({ entityType: string, entityName: emptyOrNull(string) })),
  key: string,
  value: float64,
  remove: bool,
})

/** A block of producer ids was given to a broker; `nextProducerId` is the first that nobody has. */
export const producerIdsRecord = metadataRecord(15, 'ProducerIdsRecord', [0, 0], {
  brokerId: int32,
  brokerEpoch: withDefault(int64, -1),
  nextProducerId: int64,
})

export const accessControlEntryRecord = metadataRecord(18, 'AccessControlEntryRecord', [0, 0], {
  id: uuid,
  resourceType: int8,
  resourceName: string,
  patternType: int8,
  principal: string,
  host: string,
  operation: int8,
  permissionType: int8,
})

export const removeAccessControlEntryRecord = metadataRecord(19, 'RemoveAccessControlEntryRecord', [0, 0], { id: uuid })

export const removeUserScramCredentialRecord = metadataRecord(22, 'RemoveUserScramCredentialRecord', [0, 0], {
  name: string,
  mechanism: int8,
})

/** What follows counts when it ends, and not when it is aborted (KIP-868). */
export const beginTransactionRecord = metadataRecord(23, 'BeginTransactionRecord', [0, 0], {
  name: tagged(0, nullable(string)),
})

export const endTransactionRecord = metadataRecord(24, 'EndTransactionRecord', [0, 0], {})

export const abortTransactionRecord = metadataRecord(25, 'AbortTransactionRecord', [0, 0], {
  reason: tagged(0, nullable(string)),
})

export type PartitionRecord = DecodedOf<typeof partitionRecord>
export type PartitionChangeRecord = DecodedOf<typeof partitionChangeRecord>
export type ConfigRecord = DecodedOf<typeof configRecord>

export const metadataRecords: readonly MetadataRecordType<object>[] = [
  registerBrokerRecord,
  unregisterBrokerRecord,
  topicRecord,
  partitionRecord,
  configRecord,
  partitionChangeRecord,
  removeTopicRecord,
  userScramCredentialRecord,
  featureLevelRecord,
  clientQuotaRecord,
  producerIdsRecord,
  accessControlEntryRecord,
  removeAccessControlEntryRecord,
  removeUserScramCredentialRecord,
  beginTransactionRecord,
  endTransactionRecord,
  abortTransactionRecord,
]
