// Reading what is there, and reading while more is written.

import { Consumers } from './consumers.ts'
import type { Drain, LoadResult, ProduceAndConsume } from './load.ts'
import type { Measurement } from './measurement.ts'
import { Producers } from './producers.ts'
import { endOffsets, startOffsets } from './topics.ts'

export async function drain(command: Drain, measurement: Measurement): Promise<LoadResult> {
  const [from, to] = await Promise.all([startOffsets(command), endOffsets(command)])
  const consumers = await Consumers.connect({ ...command, from, to }, measurement)
  measurement.begin()
  consumers.start()
  await consumers.finished()
  measurement.end()
  return measurement.result()
}

/**
 * From 'backlog' on consumers read what was there when the load began, over and over, so that the load stays the same however fast they
 * are: fill the topic with more than the page cache should serve, if it should not.
 */
export async function produceAndConsume(command: ProduceAndConsume, measurement: Measurement): Promise<LoadResult> {
  const [from, to] = await Promise.all([startOffsets(command), endOffsets(command)])
  const range = command.from === 'backlog' ? { from, to, passes: Infinity } : { from: to }
  const consumers = await Consumers.connect({ ...command, ...range }, measurement)
  const producers = await Producers.connect(command, measurement)
  consumers.start()
  await producers.start()
  await measurement.window(command)
  await producers.stop()
  await consumers.stop()
  return measurement.result()
}
