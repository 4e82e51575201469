// One broker of Odradek computes on one core. How throughput grows with `--brokers N`, over topics without replicas; beside it the one
// broker of Kafka, whose threads have all cores. The load generator takes its share of them: on two cores little is left for a second.

import { availableParallelism } from 'node:os'
import { manyBrokersGoals } from './goals.ts'
import { createTopic, deleteTopic, measureLoad, measureProduce, throughputSample, withTopic } from './measured-load.ts'
import type { RowHead, Row, SharedRow } from './workload.ts'

const partitions = 16
const counts = [1, 2, 4]

/** Rows of so many brokers follow each other, so that they share them. */
export const moreBrokersRows: readonly Row[] = counts.flatMap((count) => [producing(count), draining(count)])

function producing(count: number): SharedRow {
  return {
    ...headOf(count, 'produce', '1 KB to 16 partitions, 16 KiB batches'),
    async measure(round) {
      const measured = await withTopic(round, { partitions, durability: 'page-cache' }, (topic) =>
        measureProduce(round, topic, { recordBytes: 1000, batchBytes: 16_384, partitions, acks: -1 }),
      )
      return throughputSample(measured, measured.produced)
    },
  }
}

function draining(count: number): SharedRow {
  return {
    ...headOf(count, 'drain', 'a backlog of 16 partitions, 8 consumers'),
    async prepare(round) {
      await createTopic(round, { topic: round.name, partitions, durability: 'page-cache' })
      const shape = { topic: round.name, partitions, recordBytes: 1000, batchBytes: 65_536 }
      const bytes = round.quick ? 100e6 : 1e9
      await round.load.run({ kind: 'fill', bootstrap: round.broker.bootstrap, ...shape, bytes })
    },
    async measure(round) {
      const { bootstrap } = round.broker
      const measured = await measureLoad(round, {
        kind: 'drain',
        bootstrap,
        topic: round.name,
        partitions,
        consumers: 8,
        passes: 3,
      })
      return throughputSample(measured, measured.consumed)
    },
    clear: (round) => deleteTopic(round, round.name),
  }
}

function headOf(count: number, work: string, what: string): RowHead & Pick<SharedRow, 'brokers' | 'brokerCounts'> {
  return {
    id: `more-brokers/${count}/${work}`,
    section: 'more than one core',
    title: `${count === 1 ? '1 broker' : `${count} brokers`}, ${work} ${what}`,
    goals: count === 1 ? [] : manyBrokersGoals,
    fullOnly: count > availableParallelism(),
    brokers: 'shared',
    brokerCounts: { odradek: count },
  }
}
