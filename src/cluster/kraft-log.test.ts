import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import {
  abortTransactionRecord,
  accessControlEntryRecord,
  beginTransactionRecord,
  clientQuotaRecord,
  configRecord,
  endTransactionRecord,
  featureLevelRecord,
  noLeaderChange,
  partitionChangeRecord,
  partitionRecord,
  producerIdsRecord,
  registerBrokerRecord,
  removeAccessControlEntryRecord,
  removeTopicRecord,
  removeUserScramCredentialRecord,
  topicRecord,
  unregisterBrokerRecord,
  userScramCredentialRecord,
} from '../protocol/metadata-records.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { KraftLogDamaged, readKraftLog } from './kraft-log.ts'
import { metadataBatches, metadataValue, writeMetadataLog } from './kraft-log.sim.ts'
import { KraftMetadata, KraftMetadataBroken, resourceTypes } from './kraft-metadata.ts'

const folder = '/kafka/__cluster_metadata-0'
const ordersId = 'b3JkZXJzb3JkZXJzb3JkZQ'
const auditId = 'YXVkaXRhdWRpdGF1ZGl0YQ'

const topic = (name: string, topicId: string) => metadataValue(topicRecord, { name, topicId })
const partition = (topicId: string, partitionId: number) =>
  metadataValue(partitionRecord, {
    topicId,
    partitionId,
    replicas: [1, 2],
    isr: [1, 2],
    leader: 1,
    leaderEpoch: 4,
    partitionEpoch: 7,
  })
const config = (resourceType: number, resourceName: string, name: string, value: string | null) =>
  metadataValue(configRecord, { resourceType, resourceName, name, value })

function metadataOf(...values: readonly Uint8Array[]): KraftMetadata {
  const metadata = new KraftMetadata()
  for (const value of values) metadata.apply(value)
  return metadata
}

async function namesIn(disk: MemoryDisk): Promise<{ names: string[]; endOffset: number; tornBytes: number }> {
  const metadata = new KraftMetadata()
  const read = await readKraftLog(disk, folder, (value) => metadata.apply(value))
  return { names: [...metadata.topics.values()].map(({ name }) => name), ...read }
}

test('topics, partitions and configs are what their records come to', () => {
  const metadata = metadataOf(
    topic('orders', ordersId),
    partition(ordersId, 0),
    config(resourceTypes.topic, 'orders', 'retention.ms', '1000'),
    config(resourceTypes.topic, 'orders', 'segment.bytes', '5000000'),
    config(resourceTypes.topic, 'orders', 'segment.bytes', null),
    config(resourceTypes.broker, '', 'log.retention.ms', '5'),
  )
  assert.deepEqual(metadata.topics.get(ordersId), {
    name: 'orders',
    id: ordersId,
    partitions: new Map([
      [
        0,
        {
          replicas: [1, 2],
          isr: [1, 2],
          eligibleLeaderReplicas: [],
          lastKnownElr: [],
          leader: 1,
          leaderEpoch: 4,
          partitionEpoch: 7,
        },
      ],
    ]),
  })
  assert.deepEqual(metadata.configsOf(resourceTypes.topic, 'orders'), new Map([['retention.ms', '1000']]))
  assert.deepEqual(metadata.configured(resourceTypes.broker), [''])
})

test('a leader that is named makes a new leader epoch, any change a new partition epoch', () => {
  const change = (fields: object) =>
    metadataValue(partitionChangeRecord, { topicId: ordersId, partitionId: 0, ...fields })
  const start = [topic('orders', ordersId), partition(ordersId, 0)]
  const epochs = (metadata: KraftMetadata) => {
    const { leader, leaderEpoch, partitionEpoch } = metadata.topics.get(ordersId)!.partitions.get(0)!
    return { leader, leaderEpoch, partitionEpoch }
  }
  const shrunk = metadataOf(...start, change({ isr: [1], leader: noLeaderChange }))
  assert.deepEqual(epochs(shrunk), { leader: 1, leaderEpoch: 4, partitionEpoch: 8 })
  const elected = metadataOf(
    ...start,
    change({ isr: [], leader: -1, eligibleLeaderReplicas: [1] }),
    change({ leader: 1 }),
  )
  assert.deepEqual(epochs(elected), { leader: 1, leaderEpoch: 6, partitionEpoch: 9 })
  assert.deepEqual(elected.topics.get(ordersId)!.partitions.get(0)!.eligibleLeaderReplicas, [1])
})

test('a topic that is removed takes its partitions and configs along', () => {
  const metadata = metadataOf(
    topic('orders', ordersId),
    partition(ordersId, 0),
    config(resourceTypes.topic, 'orders', 'retention.ms', '1000'),
    metadataValue(removeTopicRecord, { topicId: ordersId }),
    topic('orders', auditId),
  )
  assert.deepEqual([...metadata.topics.keys()], [auditId])
  assert.deepEqual(metadata.configsOf(resourceTypes.topic, 'orders'), new Map())
})

test('a transaction of the controller counts when it ends, not when it is aborted or still open', () => {
  const begin = metadataValue(beginTransactionRecord, {})
  const ended = metadataOf(begin, topic('orders', ordersId), metadataValue(endTransactionRecord, {}))
  assert.deepEqual([...ended.topics.keys()], [ordersId])
  const aborted = metadataOf(
    begin,
    topic('orders', ordersId),
    metadataValue(abortTransactionRecord, {}),
    topic('audit', auditId),
  )
  assert.deepEqual([...aborted.topics.keys()], [auditId])
  assert.equal(metadataOf(begin, topic('orders', ordersId)).topics.size, 0)
})

test('members, producer ids, features and what protects a cluster are counted as they come and go', () => {
  const broker = { brokerId: 1, brokerEpoch: 5, incarnationId: ordersId, endPoints: [], features: [], rack: null }
  const acl = { id: auditId, resourceName: 'orders', principal: 'User:a', host: '*' }
  const bytes = new Uint8Array(4)
  const credential = { name: 'a', mechanism: 1, salt: bytes, storedKey: bytes, serverKey: bytes, iterations: 4096 }
  const quota = {
    entity: [{ entityType: 'user', entityName: 'a' }],
    key: 'producer_byte_rate',
    value: 1024,
    remove: false,
  }
  const present = [
    metadataValue(registerBrokerRecord, broker),
    metadataValue(registerBrokerRecord, { ...broker, brokerId: 2 }, 0),
    metadataValue(producerIdsRecord, { brokerId: 1, brokerEpoch: 5, nextProducerId: 3000 }),
    metadataValue(featureLevelRecord, { name: 'metadata.version', featureLevel: 30 }),
    metadataValue(accessControlEntryRecord, acl),
    metadataValue(userScramCredentialRecord, credential),
    metadataValue(clientQuotaRecord, quota),
  ]
  const metadata = metadataOf(...present)
  assert.deepEqual(metadata.brokers, new Set([1, 2]))
  assert.equal(metadata.nextProducerId, 3000)
  assert.deepEqual(metadata.features, new Map([['metadata.version', 30]]))
  assert.deepEqual([metadata.aclCount, metadata.scramCredentialCount, metadata.quotaCount], [1, 1, 1])
  const gone = metadataOf(
    ...present,
    metadataValue(unregisterBrokerRecord, { brokerId: 2, brokerEpoch: 5 }),
    metadataValue(removeAccessControlEntryRecord, { id: auditId }),
    metadataValue(removeUserScramCredentialRecord, { name: 'a', mechanism: 1 }),
    metadataValue(clientQuotaRecord, { ...quota, remove: true }),
  )
  assert.deepEqual(gone.brokers, new Set([1]))
  assert.deepEqual([gone.aclCount, gone.scramCredentialCount, gone.quotaCount], [0, 0, 0])
})

test('a change of what was never created, and a record of a later Kafka, are faults', () => {
  assert.throws(() => metadataOf(partition(ordersId, 0)), KraftMetadataBroken)
  const change = metadataValue(partitionChangeRecord, { topicId: ordersId, partitionId: 1 })
  assert.throws(() => metadataOf(topic('orders', ordersId), change), KraftMetadataBroken)
  const later = topic('orders', ordersId).slice()
  later[2] = 9
  assert.throws(() => metadataOf(later), /TopicRecord of unknown version 9/)
})

test('a log is read through its segments, and what is torn at its end is left out', async () => {
  const disk = new MemoryDisk()
  await writeMetadataLog(disk, folder, [[topic('orders', ordersId)]])
  const rest = buildBatch([{ key: null, value: topic('audit', auditId) }], { baseOffset: 2, leaderEpoch: 1 })
  await disk.replaceFile(`${folder}/00000000000000000002.log`, rest)
  assert.deepEqual(await namesIn(disk), { names: ['orders', 'audit'], endOffset: 3, tornBytes: 0 })
  const torn = rest.length - 3
  await disk.replaceFile(`${folder}/00000000000000000002.log`, rest.subarray(0, torn))
  assert.deepEqual(await namesIn(disk), { names: ['orders'], endOffset: 2, tornBytes: torn })
})

test('what the newest snapshot holds is not read again from the log', async () => {
  const disk = new MemoryDisk()
  await writeMetadataLog(disk, folder, [[topic('gone', auditId)], [topic('orders', ordersId)]])
  const snapshot = metadataBatches([[topic('from-the-snapshot', auditId)]])
  await disk.replaceFile(`${folder}/00000000000000000002-0000000001.checkpoint`, snapshot)
  assert.deepEqual((await namesIn(disk)).names, ['from-the-snapshot', 'orders'])
})

test('damage, a gap, and a snapshot that is cut short are told', async () => {
  const disk = new MemoryDisk()
  const log = metadataBatches([[topic('orders', ordersId)], [topic('audit', auditId)]])
  await disk.makeFolder(folder)
  const damaged = log.slice()
  damaged[75] = damaged[75]! ^ 1
  await disk.replaceFile(`${folder}/00000000000000000000.log`, damaged)
  await assert.rejects(namesIn(disk), KraftLogDamaged)
  await disk.remove(`${folder}/00000000000000000000.log`)
  await disk.replaceFile(`${folder}/00000000000000000009.log`, log)
  await assert.rejects(namesIn(disk), /begins at offset 9, and what was before ends at 0/)
  await disk.remove(`${folder}/00000000000000000009.log`)
  await disk.replaceFile(`${folder}/00000000000000000003-0000000001.checkpoint`, log.subarray(0, log.length - 1))
  await assert.rejects(namesIn(disk), KraftLogDamaged)
})
