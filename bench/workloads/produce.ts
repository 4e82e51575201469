// Producing as fast as it goes. Two base points, one where requests cost and one where bytes do, with each dimension varied from both;
// `--full` has the whole cross product.

import { codecById, type Codec } from '../../src/records/codec.ts'
import type { Durability } from '../peers/peer.ts'
import { probeGoals, produceGoals } from './goals.ts'
import { measureProduce, onTopic, throughputSample } from './measured-load.ts'
import {
  acksId,
  type BatchBytes,
  batchId,
  batchSizes,
  batchTitle,
  codecTitle,
  durabilityTitle,
  partitionCounts,
  partitionsTitle,
  recordId,
  recordSizes,
  recordTitle,
} from './shape-names.ts'
import type { Row } from './workload.ts'

interface Shape {
  readonly recordBytes: number
  readonly batchBytes: BatchBytes
  readonly partitions: number
  readonly acks: -1 | 0 | 1
  readonly codec: Codec
  readonly durability: Durability
}

const codecs = codecById.filter((codec) => codec === 'none' || codec === 'lz4' || codec === 'zstd')
const dimensions: { readonly [Name in keyof Shape]: readonly Shape[Name][] } = {
  durability: ['page-cache', 'fsync'],
  recordBytes: recordSizes,
  batchBytes: batchSizes,
  partitions: partitionCounts,
  acks: [-1, 1, 0],
  codec: codecs,
}

const requestsCost: Shape = {
  recordBytes: 1_000,
  batchBytes: 16_384,
  partitions: 1,
  acks: -1,
  codec: 'none',
  durability: 'page-cache',
}
const bytesCost: Shape = { ...requestsCost, batchBytes: 1_048_576, partitions: 16 }

/** `base`, and it with each other value of each of `names`. */
function varied(base: Shape, names = Object.keys(dimensions) as (keyof Shape)[]): Shape[] {
  return [base, ...names.flatMap((name) => dimensions[name].map((value): Shape => ({ ...base, [name]: value })))]
}

const defaultIds = new Set(
  [
    ...varied(requestsCost),
    ...varied(bytesCost),
    ...varied({ ...requestsCost, durability: 'fsync' }, ['batchBytes', 'partitions']),
    { ...requestsCost, batchBytes: 0, recordBytes: 64_000 } as const,
    { ...bytesCost, durability: 'fsync' } as const,
    { ...bytesCost, durability: 'fsync', partitions: 1 } as const,
  ].map(idOf),
)

/** Where the machine's own limit is looked for. */
const probeIds = new Set(
  [requestsCost, { ...requestsCost, partitions: 16 }, bytesCost, { ...bytesCost, partitions: 1 }]
    .flatMap((shape) => varied(shape, ['durability']))
    .map(idOf),
)

export const produceRows: readonly Row[] = dimensions.durability.flatMap((durability) =>
  dimensions.recordBytes.flatMap((recordBytes) =>
    dimensions.batchBytes.flatMap((batchBytes) =>
      dimensions.partitions.flatMap((partitions) =>
        dimensions.acks.flatMap((acks) =>
          dimensions.codec
            .map((codec) => ({ recordBytes, batchBytes, partitions, acks, codec, durability }))
            .filter(isOwnRow)
            .map(row),
        ),
      ),
    ),
  ),
)

/** Not a second name of another row: a large record fills a small batch alone, and who asks for no ack waits for no disk. */
function isOwnRow({ recordBytes, batchBytes, acks, durability }: Shape): boolean {
  return (batchBytes === 0 || batchBytes > recordBytes) && !(acks === 0 && durability === 'fsync')
}

function idOf({ recordBytes, batchBytes, partitions, acks, codec, durability }: Shape): string {
  const batch = `${recordId(recordBytes)}/${batchId(batchBytes)}/${partitions}p`
  return `produce/${batch}/acks-${acksId(acks)}/${codec}/${durability}`
}

function titleOf({ recordBytes, batchBytes, partitions, acks, codec, durability }: Shape): string {
  const batch = `${recordTitle(recordBytes)}, ${batchTitle(batchBytes)}${codecTitle(codec)}`
  return `${batch}, ${partitionsTitle(partitions)}, acks=${acksId(acks)}, ${durabilityTitle(durability)}`
}

function row(shape: Shape): Row {
  const id = idOf(shape)
  const { recordBytes, batchBytes, partitions, acks, codec } = shape
  return {
    id,
    section: 'produce',
    title: titleOf(shape),
    goals: [...produceGoals(shape), ...(probeIds.has(id) ? probeGoals(shape) : [])],
    fullOnly: !defaultIds.has(id),
    brokers: 'shared',
    ...onTopic(shape, async (round, topic) => {
      const measured = await measureProduce(round, topic, { recordBytes, batchBytes, partitions, acks, codec })
      return {
        ...throughputSample(measured, measured.produced),
        cpuMicrosPerRequest: (measured.brokerCpuSeconds * 1e6) / measured.produced.requests,
      }
    }),
  }
}
