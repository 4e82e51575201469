// Records at a steady rate, and how long after its producer was given it a consumer had each. Which record it is follows from its offset:
// those of a partition come in the order in which they were due.

import { Consumers } from './consumers.ts'
import { HandOver } from './hand-over.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import type { EndToEnd, LoadResult } from './load.ts'
import type { Measurement } from './measurement.ts'
import { BatchesBySize, PacedProducer } from './paced-producer.ts'
import type { Schedule } from './schedule.ts'
import { Ticker } from './ticker.ts'
import { endOffsets, leadersOf } from './topics.ts'

export async function endToEnd(command: EndToEnd, measurement: Measurement): Promise<LoadResult> {
  const { topic, partitions, acks, recordBytes, recordsPerSecond, lingerMs } = command
  const from = await endOffsets(command)
  const latencies = new LatencyHistogram()
  let schedule!: Schedule
  let handOver!: HandOver
  const onBatch = (partition: number, baseOffset: number, lastOffset: number): void => {
    const nowMs = performance.now()
    for (let offset = baseOffset; offset <= lastOffset; offset += 1) {
      const number = (offset - from[partition]!) * partitions + partition
      if (measurement.windowHas(schedule.dueMs(number))) latencies.record(nowMs - handOver.handedMs(number))
    }
  }
  const consumers = await Consumers.connect({ ...command, consumers: 1, from, onBatch }, measurement)
  const batches = new BatchesBySize(recordBytes)
  const producers: PacedProducer[] = []
  for (const [address, led] of await leadersOf(command)) {
    const shape = { topic, acks, partitions, led, batches, measurement }
    producers.push(await PacedProducer.connect(address, shape))
  }
  const ticker = measurement.owns(await Ticker.start(lingerMs))
  schedule = ticker.schedule(recordsPerSecond)
  handOver = new HandOver(schedule)
  consumers.start()
  ticker.onTick(() => {
    const count = handOver.upTo(performance.now(), measurement.endMs)
    for (const producer of producers) producer.sendDue(count)
  })
  await measurement.window(command)
  const wanted = schedule.dueBy(measurement.endMs)
  await measurement.untilDone('not all records were consumed', () => measurement.consumed.records === wanted)
  await consumers.stop()
  return measurement.result(latencies, handOver.lateness)
}
