// Every API this broker serves, once: ApiVersions answers from it, docs/protocol-coverage.md is generated from it.
// An API or version that is not served is not here.

import { alterConfigs } from '../protocol/apis/alter-configs.ts'
import { alterPartitionReassignments } from '../protocol/apis/alter-partition-reassignments.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { consumerGroupDescribe } from '../protocol/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../protocol/apis/consumer-group-heartbeat.ts'
import { createPartitions } from '../protocol/apis/create-partitions.ts'
import { createTopics } from '../protocol/apis/create-topics.ts'
import { deleteGroups } from '../protocol/apis/delete-groups.ts'
import { deleteRecords } from '../protocol/apis/delete-records.ts'
import { deleteTopics } from '../protocol/apis/delete-topics.ts'
import { describeCluster } from '../protocol/apis/describe-cluster.ts'
import { describeConfigs } from '../protocol/apis/describe-configs.ts'
import { describeGroupHistory } from '../protocol/apis/describe-group-history.ts'
import { describeGroups } from '../protocol/apis/describe-groups.ts'
import { describeLogDirs } from '../protocol/apis/describe-log-dirs.ts'
import { describeTopicPartitions } from '../protocol/apis/describe-topic-partitions.ts'
import { electLeaders } from '../protocol/apis/elect-leaders.ts'
import { fetch } from '../protocol/apis/fetch.ts'
import { findCoordinator } from '../protocol/apis/find-coordinator.ts'
import { heartbeat } from '../protocol/apis/heartbeat.ts'
import { incrementalAlterConfigs } from '../protocol/apis/incremental-alter-configs.ts'
import { initProducerId } from '../protocol/apis/init-producer-id.ts'
import { joinGroup } from '../protocol/apis/join-group.ts'
import { leaveGroup } from '../protocol/apis/leave-group.ts'
import { listConfigResources } from '../protocol/apis/list-config-resources.ts'
import { listGroups } from '../protocol/apis/list-groups.ts'
import { listOffsets } from '../protocol/apis/list-offsets.ts'
import { listPartitionReassignments } from '../protocol/apis/list-partition-reassignments.ts'
import { metadata } from '../protocol/apis/metadata.ts'
import { offsetCommit } from '../protocol/apis/offset-commit.ts'
import { offsetDelete } from '../protocol/apis/offset-delete.ts'
import { offsetFetch } from '../protocol/apis/offset-fetch.ts'
import { offsetForLeaderEpoch } from '../protocol/apis/offset-for-leader-epoch.ts'
import { produce } from '../protocol/apis/produce.ts'
import { syncGroup } from '../protocol/apis/sync-group.ts'
import { unregisterBroker } from '../protocol/apis/unregister-broker.ts'
import { handleAlterConfigs } from './handlers/alter-configs.ts'
import { handleAlterPartitionReassignments } from './handlers/alter-partition-reassignments.ts'
import { apiVersionsHandler } from './handlers/api-versions.ts'
import { handleConsumerGroupDescribe } from './handlers/consumer-group-describe.ts'
import { handleConsumerGroupHeartbeat } from './handlers/consumer-group-heartbeat.ts'
import { handleCreatePartitions } from './handlers/create-partitions.ts'
import { handleCreateTopics } from './handlers/create-topics.ts'
import { handleDeleteGroups } from './handlers/delete-groups.ts'
import { handleDeleteRecords } from './handlers/delete-records.ts'
import { handleDeleteTopics } from './handlers/delete-topics.ts'
import { handleDescribeCluster } from './handlers/describe-cluster.ts'
import { handleDescribeConfigs } from './handlers/describe-configs.ts'
import { handleDescribeGroupHistory } from './handlers/describe-group-history.ts'
import { handleDescribeGroups } from './handlers/describe-groups.ts'
import { handleDescribeLogDirs } from './handlers/describe-log-dirs.ts'
import { handleDescribeTopicPartitions } from './handlers/describe-topic-partitions.ts'
import { handleElectLeaders } from './handlers/elect-leaders.ts'
import { handleFetch } from './handlers/fetch.ts'
import { handleFindCoordinator } from './handlers/find-coordinator.ts'
import { handleHeartbeat } from './handlers/heartbeat.ts'
import { handleIncrementalAlterConfigs } from './handlers/incremental-alter-configs.ts'
import { handleInitProducerId } from './handlers/init-producer-id.ts'
import { handleJoinGroup } from './handlers/join-group.ts'
import { handleLeaveGroup } from './handlers/leave-group.ts'
import { handleListConfigResources } from './handlers/list-config-resources.ts'
import { handleListGroups } from './handlers/list-groups.ts'
import { handleListOffsets } from './handlers/list-offsets.ts'
import { handleListPartitionReassignments } from './handlers/list-partition-reassignments.ts'
import { handleMetadata } from './handlers/metadata.ts'
import { handleOffsetCommit } from './handlers/offset-commit.ts'
import { handleOffsetDelete } from './handlers/offset-delete.ts'
import { handleOffsetFetch } from './handlers/offset-fetch.ts'
import { handleOffsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.ts'
import { handleProduce } from './handlers/produce.ts'
import { handleSyncGroup } from './handlers/sync-group.ts'
import { handleUnregisterBroker } from './handlers/unregister-broker.ts'
import { advertised, type ApiTable, serve, type ServedApi, tableOf } from './served-api.ts'

export type { ApiTable } from './served-api.ts'

const rows: readonly ServedApi[] = [
  // librdkafka up to 2.11.0 compresses only when the range holds version 0 (KAFKA-18659); versions 0 to 2 are refused all the same.
  serve(produce, handleProduce, { advertisedMin: 0 }),
  serve(fetch, handleFetch),
  serve(listOffsets, handleListOffsets),
  serve(metadata, handleMetadata),
  serve(offsetCommit, handleOffsetCommit),
  serve(offsetFetch, handleOffsetFetch),
  serve(findCoordinator, handleFindCoordinator),
  serve(joinGroup, handleJoinGroup),
  serve(heartbeat, handleHeartbeat),
  serve(leaveGroup, handleLeaveGroup),
  serve(syncGroup, handleSyncGroup),
  serve(describeGroups, handleDescribeGroups),
  serve(listGroups, handleListGroups),
  serve(
    apiVersions,
    apiVersionsHandler(() => advertisedVersions),
  ),
  serve(createTopics, handleCreateTopics),
  serve(deleteTopics, handleDeleteTopics),
  serve(deleteRecords, handleDeleteRecords),
  serve(initProducerId, handleInitProducerId),
  serve(offsetForLeaderEpoch, handleOffsetForLeaderEpoch),
  serve(describeConfigs, handleDescribeConfigs),
  serve(alterConfigs, handleAlterConfigs),
  serve(describeLogDirs, handleDescribeLogDirs),
  serve(createPartitions, handleCreatePartitions),
  serve(deleteGroups, handleDeleteGroups),
  serve(electLeaders, handleElectLeaders),
  serve(incrementalAlterConfigs, handleIncrementalAlterConfigs),
  serve(alterPartitionReassignments, handleAlterPartitionReassignments),
  serve(listPartitionReassignments, handleListPartitionReassignments),
  serve(offsetDelete, handleOffsetDelete),
  serve(describeCluster, handleDescribeCluster),
  serve(unregisterBroker, handleUnregisterBroker),
  serve(consumerGroupHeartbeat, handleConsumerGroupHeartbeat),
  serve(consumerGroupDescribe, handleConsumerGroupDescribe),
  serve(listConfigResources, handleListConfigResources),
  serve(describeTopicPartitions, handleDescribeTopicPartitions),
  serve(describeGroupHistory, handleDescribeGroupHistory, { advertisedMin: null }),
]

export const apiTable: ApiTable = tableOf(rows)

const advertisedVersions = advertised(rows)
