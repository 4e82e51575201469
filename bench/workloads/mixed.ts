// Producing while a backlog is drained: the two take the processor, the disk and the page cache from each other.

import type { Durability } from '../peers/peer.ts'
import { mixedGoals } from './goals.ts'
import { coresOf, createTopic, deleteTopic, measureLoad, windowOf } from './measured-load.ts'
import { type BatchBytes, batchId, batchTitle, durabilityTitle, partitionsTitle } from './shape-names.ts'
import type { Row } from './workload.ts'

const backlogBytes = 1e9

interface MixedShape {
  readonly batchBytes: BatchBytes
  readonly partitions: number
  readonly durability: Durability
}

function mixedRow({ batchBytes, partitions, durability }: MixedShape): Row {
  const batches = { recordBytes: 1_000, batchBytes }
  return {
    id: `mixed/1kb/${batchId(batchBytes)}/${partitions}p/${durability}`,
    section: 'produce and consume',
    title: `produce while 8 consumers drain: 1 KB, ${batchTitle(batchBytes)}, ${partitionsTitle(partitions)}, acks=all, ${durabilityTitle(durability)}`,
    goals: mixedGoals,
    brokers: 'shared',
    async prepare(round) {
      await createTopic(round, { topic: round.name, partitions, durability })
      await round.load.run({
        kind: 'fill',
        bootstrap: round.broker.bootstrap,
        topic: round.name,
        partitions,
        // With an fsync before each answer small batches would take minutes, and consumers do not ask who sent what.
        ...(durability === 'fsync' ? { ...batches, batchBytes: 1_048_576 } : batches),
        bytes: round.quick ? backlogBytes / 8 : backlogBytes,
      })
    },
    async measure(round) {
      const measured = await measureLoad(round, {
        kind: 'produceAndConsume',
        from: 'backlog',
        bootstrap: round.broker.bootstrap,
        topic: round.name,
        partitions,
        consumers: 8,
        ...batches,
        acks: -1,
        ...windowOf(round),
      })
      const { produced, consumed, seconds } = measured
      return {
        producedMegabytesPerSecond: produced.bytes / 1e6 / seconds,
        consumedMegabytesPerSecond: consumed.bytes / 1e6 / seconds,
        cpuSecondsPerGigabyte: measured.brokerCpuSeconds / ((produced.bytes + consumed.bytes) / 1e9),
        megabytes: measured.brokerBytes / 1e6,
        ...coresOf(measured),
      }
    },
    clear: (round) => deleteTopic(round, round.name),
  }
}

export const mixedRows: readonly Row[] = [
  mixedRow({ batchBytes: 16_384, partitions: 16, durability: 'page-cache' }),
  mixedRow({ batchBytes: 1_048_576, partitions: 16, durability: 'page-cache' }),
  mixedRow({ batchBytes: 16_384, partitions: 16, durability: 'fsync' }),
]
