// A load on a broker, and what the broker used within the load's window.

import type { BatchShape, LoadCommand, LoadResult, Window } from '../load/load.ts'
import type { Durability } from '../peers/peer.ts'
import type { Usage } from '../peers/usage.ts'
import type { Sample } from '../report/result.ts'
import type { SharedRound, SharedRow } from './workload.ts'

const manyPartitions = 100

/** More than this fills the page cache over the rounds, and whoever is fastest pays for it: what free memory was warmed (page-cache.ts) is used up. */
const windowBytes = 1_200_000_000
const warmBytes = 300_000_000

export interface Produced extends BatchShape {
  readonly partitions: number
  readonly acks: -1 | 0 | 1
}

/** Produces as fast as it goes, each byte written `copies` times on this machine. */
export function measureProduce(round: SharedRound, topic: string, shape: Produced, copies = 1): Promise<MeasuredLoad> {
  const { bootstrap } = round.broker
  return measureLoad(round, { kind: 'produce', bootstrap, topic, ...shape, ...windowOf(round, copies) })
}

/** Of work that produces as fast as it goes, each byte written `copies` times on this machine. */
export function windowOf({ warmSeconds, seconds }: SharedRound, copies = 1): Window {
  return { warmSeconds, warmBytesMax: warmBytes / copies, seconds, bytesMax: windowBytes / copies }
}

export interface MeasuredLoad extends LoadResult {
  readonly brokerCpuSeconds: number
  /** Resident in the broker's processes when the window closed. */
  readonly brokerBytes: number
}

export async function measureLoad({ load, broker }: SharedRound, command: LoadCommand): Promise<MeasuredLoad> {
  let before: Usage | undefined
  let after: Usage | undefined
  const result = await load.run(command, {
    onBegin: () => (before = broker.usage()),
    onEnd: () => (after = broker.usage()),
  })
  if (before === undefined || after === undefined) throw new Error(`the load '${command.kind}' has no window`)
  return {
    ...result,
    brokerCpuSeconds: after.cpuSeconds - before.cpuSeconds,
    brokerBytes: after.residentBytes,
  }
}

/** Of work that moves bytes: `moved` are those that count. */
export function throughputSample(measured: MeasuredLoad, moved: LoadResult['produced']): Sample {
  if (moved.bytes === 0) throw new Error('nothing went through within the window')
  return {
    megabytesPerSecond: moved.bytes / 1e6 / measured.seconds,
    recordsPerSecond: moved.records / measured.seconds,
    cpuSecondsPerGigabyte: measured.brokerCpuSeconds / (moved.bytes / 1e9),
    megabytes: measured.brokerBytes / 1e6,
    ...coresOf(measured),
  }
}

export function coresOf({ brokerCpuSeconds, cpuSeconds, seconds }: MeasuredLoad): Sample {
  return { brokerCores: brokerCpuSeconds / seconds, loadCores: cpuSeconds / seconds }
}

/** `late`: by how much the load generator was, which the latencies leave out. */
export function latencySample({ latency, lateness }: MeasuredLoad): Sample {
  if (latency === undefined || lateness === undefined) throw new Error('nothing came through within the window')
  const { p50Ms, p99Ms, p999Ms } = latency
  return { p50Ms, p99Ms, p999Ms, lateP50Ms: lateness.p50Ms, lateP99Ms: lateness.p99Ms }
}

export interface TopicMade {
  readonly partitions: number
  /** When absent, as the peer has it by default. */
  readonly durability?: Durability
  /** Default 1. */
  readonly replicationFactor?: number
}

/** Named after the row, the peer and the round, so that a topic that is still being deleted is in nobody's way. */
export async function withTopic<T>(
  round: SharedRound,
  shape: TopicMade,
  work: (topic: string) => Promise<T>,
): Promise<T> {
  const topic = `${round.name}-${round.index}`
  await createTopic(round, { ...shape, topic })
  try {
    await touch(round, topic, shape.partitions)
    return await work(topic)
  } finally {
    await deleteTopic(round, topic)
  }
}

/**
 * A new topic each round frees what the round before has written. With many partitions a broker is at work for many seconds after one
 * was made or deleted, beside whoever is measured then: they have one topic for all rounds.
 */
export function onTopic(
  shape: TopicMade,
  measure: (round: SharedRound, topic: string) => Promise<Sample>,
): Pick<SharedRow, 'prepare' | 'measure' | 'clear'> {
  if (shape.partitions < manyPartitions) {
    return { measure: (round) => withTopic(round, shape, (topic) => measure(round, topic)) }
  }
  return {
    async prepare(round) {
      await createTopic(round, { ...shape, topic: round.name })
      await touch(round, round.name, shape.partitions)
    },
    measure: (round) => measure(round, round.name),
    clear: (round) => deleteTopic(round, round.name),
  }
}

/** One record into each partition: that files are made with the first one is no part of a steady load. */
async function touch({ load, broker }: SharedRound, topic: string, partitions: number): Promise<void> {
  const { bootstrap } = broker
  await load.run({ kind: 'fill', bootstrap, topic, partitions, recordBytes: 100, batchBytes: 0, bytes: 1 })
}

export async function createTopic(
  { load, broker, peer }: SharedRound,
  { topic, partitions, durability, replicationFactor = 1 }: TopicMade & { readonly topic: string },
): Promise<void> {
  const configs = durability === undefined ? {} : peer.topicConfigs(durability)
  await load.run({
    kind: 'createTopic',
    bootstrap: broker.bootstrap,
    topic,
    partitions,
    replicationFactor,
    configs,
  })
}

export async function deleteTopic({ load, broker }: SharedRound, topic: string): Promise<void> {
  await load.run({ kind: 'deleteTopic', bootstrap: broker.bootstrap, topic })
}
