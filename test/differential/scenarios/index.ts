// All scenarios by name. They share a broker, so each keeps to names of its own.

import type { Dialogue } from '../dialogue.ts'
import { alteringOthers, alteringTopics } from './altering.ts'
import { changingProtocols } from './changing-protocols.ts'
import { connections } from './connection.ts'
import {
  committingByState,
  otherProtocolTypes,
  rebalancing,
  refusedAtFirst,
  staticGroups,
  voting,
} from './classic-groups.ts'
import { anew, fetching, fetchSessions, offsets } from './fetch.ts'
import { committing, describingGroups, finding, joiningGroups, livingGroups, staticMembers } from './groups.ts'
import {
  fencing,
  givingAndTaking,
  otherProtocol,
  refusedHeartbeats,
  regexSubscriptions,
  staticConsumers,
} from './consumer-groups.ts'
import { committingWithEpochs, deletingGroups, deletingOffsets, groupConfigs } from './group-administration.ts'
import { idempotence, producerIds } from './idempotence.ts'
import { oddGroupRequests } from './odd-group-requests.ts'
import { electing, growing, moving, throttling, unregistering } from './partitions.ts'
import { produceBadly, produceBySettings, produceTogether, produceWell } from './produce.ts'
import { deletingRecords, describingFolders } from './records-and-folders.ts'
import { cluster, creating, deleting, metadataOf, partitionsOfTopics, settings } from './topics.ts'

export const scenarios: Readonly<Record<string, (dialogue: Dialogue) => Promise<void>>> = {
  'produce well': produceWell,
  'produce by settings': produceBySettings,
  'produce badly': produceBadly,
  'produce together': produceTogether,
  'producer ids': producerIds,
  idempotence,
  fetch: fetching,
  'fetch sessions': fetchSessions,
  'created anew': anew,
  offsets,
  'joining groups': joiningGroups,
  'living groups': livingGroups,
  'static members': staticMembers,
  'committing by state': committingByState,
  rebalancing,
  voting,
  'refused at first': refusedAtFirst,
  'other protocol types': otherProtocolTypes,
  'static groups': staticGroups,
  committing,
  'describing groups': describingGroups,
  'refused heartbeats': refusedHeartbeats,
  'giving and taking': givingAndTaking,
  fencing,
  'static consumers': staticConsumers,
  'regex subscriptions': regexSubscriptions,
  'the other protocol': otherProtocol,
  'changing protocols': changingProtocols,
  'committing with epochs': committingWithEpochs,
  'deleting offsets': deletingOffsets,
  'deleting groups': deletingGroups,
  'configs of groups': groupConfigs,
  'odd requests to groups': oddGroupRequests,
  'finding coordinators': finding,
  metadata: metadataOf,
  'creating topics': creating,
  'deleting topics': deleting,
  'partitions of topics': partitionsOfTopics,
  settings,
  'growing topics': growing,
  'moving partitions': moving,
  'electing leaders': electing,
  'unregistering brokers': unregistering,
  'throttling replication': throttling,
  'altering topics': alteringTopics,
  'altering others': alteringOthers,
  'deleting records': deletingRecords,
  'describing folders': describingFolders,
  cluster,
  connections,
}
