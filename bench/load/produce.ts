// Producing as fast as it goes, and filling a topic.

import { batchOf } from './batches.ts'
import type { Fill, LoadResult, Produce } from './load.ts'
import type { Measurement } from './measurement.ts'
import { Producers } from './producers.ts'

export async function produce(command: Produce, measurement: Measurement): Promise<LoadResult> {
  const producers = await Producers.connect(command, measurement)
  await producers.start()
  await measurement.window(command)
  await producers.stop()
  return measurement.result()
}

/** Each partition gets the same number of batches, so that there may be a little more than was asked for. */
export async function fill(command: Fill, measurement: Measurement): Promise<LoadResult> {
  const producers = await Producers.connect({ ...command, acks: -1 }, measurement)
  measurement.begin()
  await producers.start(Math.ceil(command.bytes / command.partitions / batchOf(command).bytes.length))
  await producers.finished()
  measurement.end()
  return measurement.result()
}
