// What Apache Kafka's tools say of a cluster that has settled.

import assert from 'node:assert/strict'
import { kafkaTool } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'
import { brokerIds, type FaultCluster } from './cluster.ts'

const ask = async (name: string, cluster: FaultCluster, ...args: string[]): Promise<string> => {
  const { stdout } = await kafkaTool(name, ['--bootstrap-server', cluster.bootstrap, ...args])
  return stdout
}

/** `kafka-topics` finds no partition that lacks a replica. */
export async function nothingUnderReplicated(cluster: FaultCluster): Promise<void> {
  assert.equal(await ask('topics', cluster, '--describe', '--under-replicated-partitions'), '')
}

/** `kafka-leader-election` gives each partition its first replica as leader; `kafka-log-dirs` hears of every broker. */
export async function leadersAndFolders(cluster: FaultCluster): Promise<void> {
  await ask('leader-election', cluster, '--election-type', 'preferred', '--all-topic-partitions')
  await waitFor('every preferred leader', async () => {
    return (await cluster.places()).every(({ leader, replicas }) => leader === replicas[0])
  })
  const described = await ask('log-dirs', cluster, '--describe')
  const { brokers } = JSON.parse(described.slice(described.indexOf('{'))) as {
    brokers: { broker: number; logDirs: { error: string | null; partitions: unknown[] }[] }[]
  }
  assert.deepEqual(
    brokers.map(({ broker }) => broker).toSorted((a, b) => a - b),
    [...brokerIds],
  )
  for (const { logDirs } of brokers) assert.ok(logDirs[0]!.error === null && logDirs[0]!.partitions.length > 0)
}
