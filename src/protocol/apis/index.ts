// Every API on the broker listener, by number: Kafka's, and after them our own.

import { addOffsetsToTxn } from './add-offsets-to-txn.ts'
import { addPartitionsToTxn } from './add-partitions-to-txn.ts'
import { addRaftVoter } from './add-raft-voter.ts'
import { alterClientQuotas } from './alter-client-quotas.ts'
import { alterConfigs } from './alter-configs.ts'
import { alterPartitionReassignments } from './alter-partition-reassignments.ts'
import { alterReplicaLogDirs } from './alter-replica-log-dirs.ts'
import { alterShareGroupOffsets } from './alter-share-group-offsets.ts'
import { alterUserScramCredentials } from './alter-user-scram-credentials.ts'
import { apiVersions } from './api-versions.ts'
import { consumerGroupDescribe } from './consumer-group-describe.ts'
import { consumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { createAcls } from './create-acls.ts'
import { createDelegationToken } from './create-delegation-token.ts'
import { createPartitions } from './create-partitions.ts'
import { createTopics } from './create-topics.ts'
import { deleteAcls } from './delete-acls.ts'
import { deleteGroups } from './delete-groups.ts'
import { deleteRecords } from './delete-records.ts'
import { deleteShareGroupOffsets } from './delete-share-group-offsets.ts'
import { deleteShareGroupState } from './delete-share-group-state.ts'
import { deleteTopics } from './delete-topics.ts'
import { describeAcls } from './describe-acls.ts'
import { describeClientQuotas } from './describe-client-quotas.ts'
import { describeCluster } from './describe-cluster.ts'
import { describeConfigs } from './describe-configs.ts'
import { describeDelegationToken } from './describe-delegation-token.ts'
import { describeGroupHistory } from './describe-group-history.ts'
import { describeGroups } from './describe-groups.ts'
import { describeLogDirs } from './describe-log-dirs.ts'
import { describeProducers } from './describe-producers.ts'
import { describeQuorum } from './describe-quorum.ts'
import { describeShareGroupOffsets } from './describe-share-group-offsets.ts'
import { describeTopicPartitions } from './describe-topic-partitions.ts'
import { describeTransactions } from './describe-transactions.ts'
import { describeUserScramCredentials } from './describe-user-scram-credentials.ts'
import { electLeaders } from './elect-leaders.ts'
import { endTxn } from './end-txn.ts'
import { expireDelegationToken } from './expire-delegation-token.ts'
import { fetch } from './fetch.ts'
import { findCoordinator } from './find-coordinator.ts'
import { getTelemetrySubscriptions } from './get-telemetry-subscriptions.ts'
import { heartbeat } from './heartbeat.ts'
import { incrementalAlterConfigs } from './incremental-alter-configs.ts'
import { initProducerId } from './init-producer-id.ts'
import { initializeShareGroupState } from './initialize-share-group-state.ts'
import { joinGroup } from './join-group.ts'
import { leaveGroup } from './leave-group.ts'
import { listConfigResources } from './list-config-resources.ts'
import { listGroups } from './list-groups.ts'
import { listOffsets } from './list-offsets.ts'
import { listPartitionReassignments } from './list-partition-reassignments.ts'
import { listTransactions } from './list-transactions.ts'
import { metadata } from './metadata.ts'
import { offsetCommit } from './offset-commit.ts'
import { offsetDelete } from './offset-delete.ts'
import { offsetFetch } from './offset-fetch.ts'
import { offsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { produce } from './produce.ts'
import { pushTelemetry } from './push-telemetry.ts'
import { readShareGroupState } from './read-share-group-state.ts'
import { readShareGroupStateSummary } from './read-share-group-state-summary.ts'
import { removeRaftVoter } from './remove-raft-voter.ts'
import { renewDelegationToken } from './renew-delegation-token.ts'
import { saslAuthenticate } from './sasl-authenticate.ts'
import { saslHandshake } from './sasl-handshake.ts'
import { shareAcknowledge } from './share-acknowledge.ts'
import { shareFetch } from './share-fetch.ts'
import { shareGroupDescribe } from './share-group-describe.ts'
import { shareGroupHeartbeat } from './share-group-heartbeat.ts'
import { streamsGroupDescribe } from './streams-group-describe.ts'
import { streamsGroupHeartbeat } from './streams-group-heartbeat.ts'
import { syncGroup } from './sync-group.ts'
import { txnOffsetCommit } from './txn-offset-commit.ts'
import { unregisterBroker } from './unregister-broker.ts'
import { updateFeatures } from './update-features.ts'
import { writeShareGroupState } from './write-share-group-state.ts'
import { writeTxnMarkers } from './write-txn-markers.ts'
import type { AnyApi } from '../schema/index.ts'

/** Kafka's. */
export const allApis: readonly AnyApi[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  saslHandshake,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  writeTxnMarkers,
  txnOffsetCommit,
  describeAcls,
  createAcls,
  deleteAcls,
  describeConfigs,
  alterConfigs,
  alterReplicaLogDirs,
  describeLogDirs,
  saslAuthenticate,
  createPartitions,
  createDelegationToken,
  renewDelegationToken,
  expireDelegationToken,
  describeDelegationToken,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  alterPartitionReassignments,
  listPartitionReassignments,
  offsetDelete,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  describeQuorum,
  updateFeatures,
  describeCluster,
  describeProducers,
  unregisterBroker,
  describeTransactions,
  listTransactions,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  getTelemetrySubscriptions,
  pushTelemetry,
  listConfigResources,
  describeTopicPartitions,
  shareGroupHeartbeat,
  shareGroupDescribe,
  shareFetch,
  shareAcknowledge,
  addRaftVoter,
  removeRaftVoter,
  initializeShareGroupState,
  readShareGroupState,
  writeShareGroupState,
  deleteShareGroupState,
  readShareGroupStateSummary,
  streamsGroupHeartbeat,
  streamsGroupDescribe,
  describeShareGroupOffsets,
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
]

/** Odradek's own, which Kafka does not have and ApiVersions does not name. */
export const ownApis: readonly AnyApi[] = [describeGroupHistory]

const byKey: ReadonlyMap<number, AnyApi> = new Map([...allApis, ...ownApis].map((api) => [api.key, api]))

/** Undefined for a number Kafka does not have, or does not offer to clients, and that is none of ours. */
export function apiByKey(key: number): AnyApi | undefined {
  return byKey.get(key)
}

export * from './produce.ts'
export * from './fetch.ts'
export * from './list-offsets.ts'
export * from './metadata.ts'
export * from './offset-commit.ts'
export * from './offset-fetch.ts'
export * from './find-coordinator.ts'
export * from './join-group.ts'
export * from './heartbeat.ts'
export * from './leave-group.ts'
export * from './sync-group.ts'
export * from './describe-groups.ts'
export * from './list-groups.ts'
export * from './sasl-handshake.ts'
export * from './api-versions.ts'
export * from './create-topics.ts'
export * from './delete-topics.ts'
export * from './delete-records.ts'
export * from './init-producer-id.ts'
export * from './offset-for-leader-epoch.ts'
export * from './add-partitions-to-txn.ts'
export * from './add-offsets-to-txn.ts'
export * from './end-txn.ts'
export * from './write-txn-markers.ts'
export * from './txn-offset-commit.ts'
export * from './describe-acls.ts'
export * from './create-acls.ts'
export * from './delete-acls.ts'
export * from './describe-configs.ts'
export * from './alter-configs.ts'
export * from './alter-replica-log-dirs.ts'
export * from './describe-log-dirs.ts'
export * from './sasl-authenticate.ts'
export * from './create-partitions.ts'
export * from './create-delegation-token.ts'
export * from './renew-delegation-token.ts'
export * from './expire-delegation-token.ts'
export * from './describe-delegation-token.ts'
export * from './delete-groups.ts'
export * from './elect-leaders.ts'
export * from './incremental-alter-configs.ts'
export * from './alter-partition-reassignments.ts'
export * from './list-partition-reassignments.ts'
export * from './offset-delete.ts'
export * from './describe-client-quotas.ts'
export * from './alter-client-quotas.ts'
export * from './describe-user-scram-credentials.ts'
export * from './alter-user-scram-credentials.ts'
export * from './describe-quorum.ts'
export * from './update-features.ts'
export * from './describe-cluster.ts'
export * from './describe-producers.ts'
export * from './unregister-broker.ts'
export * from './describe-transactions.ts'
export * from './list-transactions.ts'
export * from './consumer-group-heartbeat.ts'
export * from './consumer-group-describe.ts'
export * from './get-telemetry-subscriptions.ts'
export * from './push-telemetry.ts'
export * from './list-config-resources.ts'
export * from './describe-topic-partitions.ts'
export * from './share-group-heartbeat.ts'
export * from './share-group-describe.ts'
export * from './share-fetch.ts'
export * from './share-acknowledge.ts'
export * from './add-raft-voter.ts'
export * from './remove-raft-voter.ts'
export * from './initialize-share-group-state.ts'
export * from './read-share-group-state.ts'
export * from './write-share-group-state.ts'
export * from './delete-share-group-state.ts'
export * from './read-share-group-state-summary.ts'
export * from './streams-group-heartbeat.ts'
export * from './streams-group-describe.ts'
export * from './describe-share-group-offsets.ts'
export * from './alter-share-group-offsets.ts'
export * from './delete-share-group-offsets.ts'
export * from './describe-group-history.ts'
