// What a broker holds in memory: with nothing to do, and the most of it under the load that asks for most.

import { setTimeout as delay } from 'node:timers/promises'
import { idleMemoryGoals, loadedMemoryGoals } from './goals.ts'
import { createTopic } from './measured-load.ts'
import { withBroker } from './own-broker.ts'
import type { Row } from './workload.ts'

const idle: Row = {
  id: 'memory/idle',
  section: 'memory',
  title: 'idle for 5 s after the start',
  goals: idleMemoryGoals,
  roundsMax: 2,
  warmsUp: false,
  brokers: 'own',
  async measure(round) {
    const resident = await withBroker(round, async ({ broker }) => {
      await delay(5000)
      return broker.usage().residentBytes
    })
    return { megabytes: resident / 1e6 }
  },
}

const partitions = 100

/**
 * What makes either hold most, one after the other: many requests, whose garbage fills a heap; a backlog that 8 consumers ask for 50 MiB at
 * a time; and large batches, five under way from each of 16 producers, beside such consumers.
 */
const loaded: Row = {
  id: 'memory/loaded',
  section: 'memory',
  title: `the most under 16 producers of small and of 1 MiB batches and 8 lagging consumers, ${partitions} partitions`,
  goals: loadedMemoryGoals,
  roundsMax: 2,
  warmsUp: false,
  brokers: 'own',
  async measure(round) {
    const { load, name, index, quick } = round
    const peak = await withBroker(round, async (shared) => {
      const { broker } = shared
      const topic = { bootstrap: broker.bootstrap, topic: `${name}-${index}`, partitions }
      await createTopic(shared, { ...topic, durability: 'page-cache' })
      const window = { warmSeconds: 0, seconds: quick ? 1 : 5 }
      const producers = { acks: -1, recordBytes: 1000, connections: 16, partitionsPerRequest: 1 } as const
      await load.run({ kind: 'produce', ...topic, ...window, ...producers, batchBytes: 16_384 })
      await load.run({ kind: 'drain', ...topic, consumers: 8 })
      const both = { ...topic, ...window, ...producers, batchBytes: 1_048_576, consumers: 8, from: 'backlog' } as const
      await load.run({ kind: 'produceAndConsume', ...both })
      const { peakBytes } = broker.usage()
      await load.run({ kind: 'deleteTopic', ...topic })
      return peakBytes
    })
    return { megabytes: peak / 1e6 }
  },
}

export const memoryRows: readonly Row[] = [idle, loaded]
