import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTopic } from '../../cluster/small-cluster.sim.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleDescribeCluster } from './describe-cluster.ts'
import { handleUnregisterBroker } from './unregister-broker.ts'

async function unregister(cluster: AdministeredCluster, brokerId: number) {
  const response = await handleUnregisterBroker(cluster.context(0), { brokerId })
  return [response!.errorCode, response!.errorMessage] as const
}

async function fencedBrokers(cluster: AdministeredCluster): Promise<number[]> {
  const asked = { includeClusterAuthorizedOperations: false, endpointType: 1, includeFencedBrokers: true }
  const response = await handleDescribeCluster(cluster.context(2), asked)
  return response!.brokers.filter(({ isFenced }) => isFenced).map(({ brokerId }) => brokerId)
}

test('a broker that is away is forgotten: nobody hears of it, and nothing is placed on it', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2, 3] })
  await cluster.cluster.brokers.get(3)!.membership.stop()
  assert.deepEqual(await fencedBrokers(cluster), [3])
  assert.deepEqual(await unregister(cluster, 3), [ErrorCode.NONE, null])
  assert.deepEqual(await fencedBrokers(cluster), [])
  const wide = newTopic('wide', { partitions: 1, replicationFactor: 3 })
  const [refused] = await cluster.cluster.topics.create([wide], { validateOnly: false })
  assert.ok(refused?.ok === false && refused.error === ErrorCode.INVALID_REPLICATION_FACTOR)
  assert.deepEqual(await unregister(cluster, 3), [
    ErrorCode.BROKER_ID_NOT_REGISTERED,
    'Broker ID 3 is not currently registered',
  ])
})

test('a broker that comes back after all is part of the cluster again', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2] })
  await cluster.cluster.brokers.get(2)!.membership.stop()
  await unregister(cluster, 2)
  await cluster.cluster.join(2)
  assert.deepEqual([...cluster.cluster.view.image.knownBrokers.keys()], [1, 2])
})

test('a broker that is there is not forgotten', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2] })
  const [errorCode, message] = await unregister(cluster, 2)
  assert.equal(errorCode, ErrorCode.INVALID_REQUEST)
  assert.match(message!, /Broker 2 is running/)
  assert.ok(cluster.cluster.view.image.knownBrokers.has(2))
})

test('a broker that alone has everything of a partition is not forgotten', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2] })
  const alone = newTopic('alone', { assignments: [{ partitionIndex: 0, brokerIds: [2] }] })
  await cluster.cluster.topics.create([alone], { validateOnly: false })
  await cluster.cluster.brokers.get(2)!.membership.stop()
  const [errorCode, message] = await unregister(cluster, 2)
  assert.equal(errorCode, ErrorCode.INVALID_REQUEST)
  assert.match(message!, /in sync for alone-0/)
  await cluster.cluster.topics.delete(cluster.cluster.topic('alone')!.id)
  assert.deepEqual(await unregister(cluster, 2), [ErrorCode.NONE, null])
})
