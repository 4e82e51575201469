// Three brokers with three replicas of each partition, acks=all: throughput, and what all three processes pay for it. A gigabyte is one of
// the producer's, which is written three times.

import type { Durability } from '../peers/peer.ts'
import { replicatedGoals } from './goals.ts'
import { measureProduce, throughputSample, withTopic } from './measured-load.ts'
import { type BatchBytes, batchId, batchTitle, durabilityTitle, partitionsTitle } from './shape-names.ts'
import type { Row } from './workload.ts'

const replicas = 3
const recordBytes = 1000

const shapes: readonly { readonly batchBytes: BatchBytes; readonly partitions: number }[] = [
  { batchBytes: 16_384, partitions: 1 },
  { batchBytes: 16_384, partitions: 16 },
  { batchBytes: 1_048_576, partitions: 16 },
  { batchBytes: 0, partitions: 1 },
]

function row(batchBytes: BatchBytes, partitions: number, durability: Durability): Row {
  return {
    id: `three-brokers/1kb/${batchId(batchBytes)}/${partitions}p/${durability}`,
    section: 'three brokers',
    title: `1 KB, ${batchTitle(batchBytes)}, ${partitionsTitle(partitions)}, ${durabilityTitle(durability)}`,
    goals: replicatedGoals,
    brokers: 'shared',
    brokerCounts: { odradek: replicas, kafka: replicas },
    async measure(round) {
      const measured = await withTopic(round, { partitions, durability, replicationFactor: replicas }, (topic) =>
        measureProduce(round, topic, { recordBytes, batchBytes, partitions, acks: -1 }, replicas),
      )
      return throughputSample(measured, measured.produced)
    },
  }
}

export const threeBrokersRows: readonly Row[] = (['page-cache', 'fsync'] as const).flatMap((durability) =>
  shapes.map(({ batchBytes, partitions }) => row(batchBytes, partitions, durability)),
)
