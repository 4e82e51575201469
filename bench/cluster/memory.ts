// Memory of an idle broker by the number of replicas it holds: three brokers that each hold all of them, a third as leader, after a clean
// restart. Every log has a few records, so that its files are there.

import { produce } from '../../src/protocol/apis/produce.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { waitFor } from '../../test/support/wait-for.ts'
import { RawClient } from '../raw-client.ts'
import { ClusterUnderBench } from './brokers.ts'

const perTopic = 100
const idleMs = 10_000

/** `counts`: of replicas of one broker, rising. */
export async function measureMemory(counts: readonly number[]): Promise<void> {
  await ClusterUnderBench.with({ brokers: 3 }, async (cluster) => {
    const names: string[] = []
    let before: { replicas: number; megabytes: number } | null = null
    for (const replicas of counts) {
      const added: string[] = []
      while ((names.length + added.length) * perTopic < replicas) added.push(`topic-${names.length + added.length}`)
      for (const name of added) {
        await cluster.createTopic({ name, partitions: perTopic, replicas: 3 })
        await waitFor(`a record in each partition of ${name}`, () => fill(cluster, name), 120_000)
      }
      names.push(...added)
      const startMs: number[] = []
      for (const id of cluster.ids) {
        await cluster.stop(id)
        startMs.push((await cluster.start(id)).readyMs)
        if (names.length > 0) await cluster.untilWhole(names)
      }
      await cluster.rest(idleMs)
      const brokers = [...cluster.brokers.values()]
      const cpuBefore = brokers.map((broker) => broker.cpuSeconds())
      await cluster.rest(idleMs)
      const cpu = brokers.map((broker, i) => ((broker.cpuSeconds() - cpuBefore[i]!) / (idleMs / 1000)) * 100)
      const sizes = brokers.map((broker) => broker.megabytes('VmRSS'))
      const megabytes = mean(sizes)
      const more =
        before === null
          ? ''
          : `, ${(((megabytes - before.megabytes) / (replicas - before.replicas)) * 1000).toFixed(1)} MB per 1,000 more`
      console.log(
        `${replicas} replicas a broker: ${megabytes.toFixed(0)} MB idle (${sizes.map((size) => size.toFixed(0)).join(', ')})${more}; ` +
          `start ${Math.max(...startMs).toFixed(0)} ms at most, idle CPU ${mean(cpu).toFixed(1)} %`,
      )
      before = { replicas, megabytes }
    }
  })
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** A record into each partition; false when one of them was refused, as while leaders change. */
async function fill(cluster: ClusterUnderBench, name: string): Promise<boolean> {
  const batch = buildBatch([{ value: Buffer.alloc(100, 'x') }])
  const [topic] = await cluster.topics([name])
  let refused = 0
  for (const [leader, partitions] of Map.groupBy(topic!.partitions, ({ leaderId }) => leaderId)) {
    const client = await RawClient.connect(cluster.addressOf(leader))
    const { responses } = await client.request(produce, 10, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 60_000,
      topicData: [
        { name, partitionData: partitions.map(({ partitionIndex: index }) => ({ index, records: [batch] })) },
      ],
    })
    client.close()
    for (const { errorCode } of responses[0]!.partitionResponses) refused += Number(errorCode !== ErrorCode.NONE)
  }
  return refused === 0
}
