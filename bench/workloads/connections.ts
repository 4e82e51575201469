// Many small clients: connections that each send ten records a second, one a request, so that what a request costs is all there is.

import type { Durability } from '../peers/peer.ts'
import { connectionGoals } from './goals.ts'
import { coresOf, latencySample, measureLoad, withTopic } from './measured-load.ts'
import { durabilityTitle } from './shape-names.ts'
import type { Row } from './workload.ts'

/** A pause of the machine of 100 ms is five of a hundred in 2 s, and would be the p99 of whoever it meets. */
const windowFactor = 6

function connectionsRow(durability: Durability): Row {
  const partitions = 16
  return {
    id: `connections/1000x10/${partitions}p/${durability}`,
    section: 'many connections',
    title: `1,000 connections, 10 records/s of 100 B each, ${partitions} partitions, acks=all, ${durabilityTitle(durability)}`,
    goals: connectionGoals,
    brokers: 'shared',
    roundsTimes: 2,
    async measure(round) {
      const measured = await withTopic(round, { partitions, durability }, (topic) =>
        measureLoad(round, {
          kind: 'manyConnections',
          bootstrap: round.broker.bootstrap,
          topic,
          partitions,
          acks: -1,
          recordBytes: 100,
          connections: round.quick ? 100 : 1_000,
          recordsPerSecondEach: 10,
          warmSeconds: round.warmSeconds,
          seconds: round.seconds * windowFactor,
        }),
      )
      const { produced, seconds } = measured
      return {
        cpuMicrosPerRequest: (measured.brokerCpuSeconds * 1e6) / produced.requests,
        ...latencySample(measured),
        recordsPerSecond: produced.records / seconds,
        megabytes: measured.brokerBytes / 1e6,
        ...coresOf(measured),
      }
    },
  }
}

export const connectionRows: readonly Row[] = [connectionsRow('page-cache'), connectionsRow('fsync')]
