// How long a record takes from its producer to its consumer, at steady rates that both brokers can keep up with, or ought to.

import type { Durability } from '../peers/peer.ts'
import { latencyGoals } from './goals.ts'
import { coresOf, latencySample, measureLoad, withTopic } from './measured-load.ts'
import { durabilityTitle, partitionsTitle } from './shape-names.ts'
import type { Row } from './workload.ts'

/** Of 1,000 records a second the slowest in a thousand need many seconds to be more than one or two records. */
const windowFactor = 3

interface LatencyShape {
  readonly recordsPerSecond: number
  readonly partitions: number
  readonly durability: Durability
}

function latencyRow(shape: LatencyShape): Row {
  const { recordsPerSecond, partitions, durability } = shape
  const rate = `${recordsPerSecond / 1_000}k`
  return {
    id: `latency/${rate}/${partitions}p/${durability}`,
    section: 'latency',
    title: `${recordsPerSecond.toLocaleString('en')} records/s of 1 KB, ${partitionsTitle(partitions)}, acks=all, ${durabilityTitle(durability)}`,
    goals: latencyGoals,
    brokers: 'shared',
    roundsTimes: 2,
    async measure(round) {
      const measured = await withTopic(round, shape, (topic) =>
        measureLoad(round, {
          kind: 'endToEnd',
          bootstrap: round.broker.bootstrap,
          topic,
          partitions,
          acks: -1,
          recordBytes: 1_000,
          recordsPerSecond,
          lingerMs: 1,
          warmSeconds: round.warmSeconds,
          seconds: round.seconds * windowFactor,
        }),
      )
      const { seconds, consumed } = measured
      return {
        ...latencySample(measured),
        recordsPerSecond: consumed.records / seconds,
        cpuSecondsPerGigabyte: measured.brokerCpuSeconds / (consumed.bytes / 1e9),
        ...coresOf(measured),
      }
    },
  }
}

export const latencyRows: readonly Row[] = (['page-cache', 'fsync'] as const).flatMap((durability) =>
  [1, 16].flatMap((partitions) =>
    [1_000, 10_000, 50_000].map((recordsPerSecond) => latencyRow({ recordsPerSecond, partitions, durability })),
  ),
)
