// Reading: a backlog from its beginning, from memory and from the disk, and the end of a topic while it is written.

import type { Codec } from '../../src/records/codec.ts'
import type { Durability } from '../peers/peer.ts'
import { drainGoals, tailGoals } from './goals.ts'
import { createTopic, deleteTopic, measureLoad, throughputSample, windowOf, withTopic } from './measured-load.ts'
import { dropPageCache } from './page-cache.ts'
import {
  type BatchBytes,
  batchId,
  batchTitle,
  codecTitle,
  consumersTitle,
  durabilityTitle,
  partitionsTitle,
  recordId,
  recordTitle,
} from './shape-names.ts'
import type { Row } from './workload.ts'

const backlogBytes = 512e6
/** What is read from memory is read again and again: one reading alone is a short window. */
const warmBytes = 8 * backlogBytes

interface DrainShape {
  readonly recordBytes: number
  readonly batchBytes: BatchBytes
  readonly partitions: number
  readonly consumers: number
  readonly codec: Codec
  readonly from: 'memory' | 'disk'
}

function drainRow(shape: Partial<DrainShape>): Row {
  const full: DrainShape = {
    recordBytes: 1_000,
    batchBytes: 16_384,
    partitions: 16,
    consumers: 8,
    codec: 'none',
    from: 'memory',
    ...shape,
  }
  const { recordBytes, batchBytes, partitions, consumers, codec, from } = full
  const title = `${recordTitle(recordBytes)}, ${batchTitle(batchBytes)}${codecTitle(codec)}`
  return {
    id: `drain/${recordId(recordBytes)}/${batchId(batchBytes)}/${partitions}p/${consumers}c/${codec}/${from}`,
    section: 'consume',
    title: `drain from ${from}: ${title}, ${partitionsTitle(partitions)}, ${consumersTitle(consumers)}`,
    goals: drainGoals,
    brokers: 'shared',
    async prepare(round) {
      await createTopic(round, { topic: round.name, partitions, durability: 'page-cache' })
      await round.load.run({
        kind: 'fill',
        bootstrap: round.broker.bootstrap,
        topic: round.name,
        partitions,
        recordBytes,
        batchBytes,
        codec,
        bytes: round.quick ? backlogBytes / 8 : backlogBytes,
      })
    },
    async measure(round) {
      if (from === 'disk') await dropPageCache()
      const measured = await measureLoad(round, {
        kind: 'drain',
        bootstrap: round.broker.bootstrap,
        topic: round.name,
        partitions,
        consumers,
        passes: from === 'disk' ? 1 : Math.ceil(warmBytes / (backlogBytes * Math.max(1, consumers / partitions))),
      })
      return throughputSample(measured, measured.consumed)
    },
    clear: (round) => deleteTopic(round, round.name),
  }
}

interface TailShape {
  readonly batchBytes: BatchBytes
  readonly partitions: number
  readonly consumers: number
  readonly durability: Durability
}

/** What consumers get is what counts, and all that the broker uses, for producers too. */
function tailRow(shape: TailShape): Row {
  const { batchBytes, partitions, consumers, durability } = shape
  const readers = `${partitionsTitle(partitions)}, ${consumersTitle(consumers)}`
  return {
    id: `tail/1kb/${batchId(batchBytes)}/${partitions}p/${consumers}c/${durability}`,
    section: 'consume',
    title: `tail reads: 1 KB, ${batchTitle(batchBytes)}, ${readers}, acks=all, ${durabilityTitle(durability)}`,
    goals: tailGoals,
    brokers: 'shared',
    async measure(round) {
      const measured = await withTopic(round, shape, (topic) =>
        measureLoad(round, {
          kind: 'produceAndConsume',
          from: 'tail',
          bootstrap: round.broker.bootstrap,
          topic,
          partitions,
          consumers,
          recordBytes: 1_000,
          batchBytes,
          acks: -1,
          ...windowOf(round),
        }),
      )
      return throughputSample(measured, measured.consumed)
    },
  }
}

export const consumeRows: readonly Row[] = [
  drainRow({ partitions: 1, consumers: 1 }),
  drainRow({ partitions: 1, consumers: 8 }),
  drainRow({ consumers: 1 }),
  drainRow({}),
  drainRow({ partitions: 100 }),
  drainRow({ partitions: 1_000 }),
  drainRow({ recordBytes: 100 }),
  drainRow({ recordBytes: 64_000, batchBytes: 1_048_576 }),
  drainRow({ batchBytes: 1_048_576, partitions: 1, consumers: 1 }),
  drainRow({ batchBytes: 1_048_576 }),
  drainRow({ codec: 'lz4' }),
  drainRow({ codec: 'zstd' }),
  drainRow({ partitions: 1, consumers: 1, from: 'disk' }),
  drainRow({ from: 'disk' }),
  drainRow({ partitions: 100, from: 'disk' }),
  drainRow({ batchBytes: 1_048_576, from: 'disk' }),
  tailRow({ batchBytes: 16_384, partitions: 1, consumers: 1, durability: 'page-cache' }),
  tailRow({ batchBytes: 16_384, partitions: 16, consumers: 8, durability: 'page-cache' }),
  tailRow({ batchBytes: 1_048_576, partitions: 16, consumers: 8, durability: 'page-cache' }),
  tailRow({ batchBytes: 16_384, partitions: 16, consumers: 8, durability: 'fsync' }),
]
