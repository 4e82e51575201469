// What Odradek is to reach against Apache Kafka, and against the probe, in the same run. Each workload takes its goals from here.

import type { Durability } from '../peers/peer.ts'
import type { Goal } from '../report/result.ts'

const KIB = 1024

/** Above this a batch counts as large: its bytes cost more than its request. */
const smallBatchBytesMax = 16 * KIB

export interface ProducedShape {
  readonly recordBytes: number
  readonly batchBytes: number
  readonly partitions: number
  readonly durability: Durability
}

/** A batch holds one record at least. */
function isSmall({ recordBytes, batchBytes }: ProducedShape): boolean {
  return Math.max(recordBytes, batchBytes) <= smallBatchBytesMax
}

/** More throughput in every row; how much more is asked where small batches make requests the cost. */
export function produceGoals(shape: ProducedShape): Goal[] {
  const small = isSmall(shape)
  const throughput = small ? (shape.durability === 'fsync' ? 3 : shape.partitions === 1 ? 1.5 : 1) : 1
  return [
    { figure: 'megabytesPerSecond', against: 'kafka', ratio: throughput },
    { figure: 'cpuSecondsPerGigabyte', against: 'kafka', ratio: small ? 0.4 : 0.7 },
  ]
}

export function probeGoals(shape: ProducedShape): Goal[] {
  return [{ figure: 'megabytesPerSecond', against: 'probe', ratio: isSmall(shape) ? 0.6 : 0.8 }]
}

export const drainGoals: readonly Goal[] = [{ figure: 'megabytesPerSecond', against: 'kafka', ratio: 1 }]

export const tailGoals: readonly Goal[] = [
  { figure: 'megabytesPerSecond', against: 'kafka', ratio: 1.2 },
  { figure: 'cpuSecondsPerGigabyte', against: 'kafka', ratio: 0.8 },
]

/** More of both, not of their sum: neither is to be bought with the other. */
export const mixedGoals: readonly Goal[] = [
  { figure: 'producedMegabytesPerSecond', against: 'kafka', ratio: 1 },
  { figure: 'consumedMegabytesPerSecond', against: 'kafka', ratio: 1 },
]

export const latencyGoals: readonly Goal[] = [
  { figure: 'p50Ms', against: 'kafka', ratio: 0.7 },
  { figure: 'p99Ms', against: 'kafka', ratio: 0.5 },
  { figure: 'p999Ms', against: 'kafka', ratio: 0.5 },
]

export const connectionGoals: readonly Goal[] = [
  { figure: 'cpuMicrosPerRequest', against: 'kafka', ratio: 0.5 },
  { figure: 'p99Ms', against: 'kafka', ratio: 0.5 },
]

export const startGoals: readonly Goal[] = [{ figure: 'milliseconds', against: 'kafka', ratio: 0.05 }]
export const firstRecordGoals: readonly Goal[] = [{ figure: 'milliseconds', against: 'kafka', ratio: 0.1 }]
export const startManyGoals: readonly Goal[] = [{ figure: 'milliseconds', against: 'kafka', ratio: 0.5 }]
export const restartGoals: readonly Goal[] = startManyGoals

export const idleMemoryGoals: readonly Goal[] = [{ figure: 'megabytes', against: 'kafka', ratio: 0.2 }]
export const loadedMemoryGoals: readonly Goal[] = [{ figure: 'megabytes', against: 'kafka', ratio: 0.33 }]

export const replicatedGoals: readonly Goal[] = [
  { figure: 'megabytesPerSecond', against: 'kafka', ratio: 1 },
  { figure: 'cpuSecondsPerGigabyte', against: 'kafka', ratio: 0.6 },
]

/** All cores of the machine, for both. */
export const manyBrokersGoals: readonly Goal[] = [{ figure: 'megabytesPerSecond', against: 'kafka', ratio: 1 }]

/** A client that is the limit itself is as fast with either broker, but for noise. */
export const realClientGoals: readonly Goal[] = [
  { figure: 'recordsPerSecond', against: 'kafka', ratio: 0.95 },
  { figure: 'cpuSecondsPerGigabyte', against: 'kafka', ratio: 1 },
]
