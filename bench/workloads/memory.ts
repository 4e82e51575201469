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

/** Large batches from many producers, five under way on each, beside consumers that lag: both hold as many bytes at once as clients can ask. */
const loaded: Row = {
  id: 'memory/loaded',
  section: 'memory',
  title: `the most under 16 producers of 1 MiB batches and 8 lagging consumers, ${partitions} partitions`,
  goals: loadedMemoryGoals,
  roundsMax: 2,
  warmsUp: false,
  brokers: 'own',
  async measure(round) {
    const { load, name, index, quick } = round
    const topic = `${name}-${index}`
    const shape = { topic, partitions, recordBytes: 1000, batchBytes: 1_048_576 }
    const peak = await withBroker(round, async (shared) => {
      const { broker } = shared
      const { bootstrap } = broker
      await createTopic(shared, { topic, partitions, durability: 'page-cache' })
      await load.run({ kind: 'fill', bootstrap, ...shape, bytes: quick ? 100e6 : 500e6 })
      const window = { warmSeconds: 0, seconds: quick ? 2 : 8 }
      const readers = { consumers: 8, from: 'backlog' } as const
      await load.run({
        kind: 'produceAndConsume',
        bootstrap,
        ...shape,
        ...window,
        ...readers,
        acks: -1,
        connections: 16,
        partitionsPerRequest: 1,
      })
      const { peakBytes } = broker.usage()
      await load.run({ kind: 'deleteTopic', bootstrap, topic })
      return peakBytes
    })
    return { megabytes: peak / 1e6 }
  },
}

export const memoryRows: readonly Row[] = [idle, loaded]
