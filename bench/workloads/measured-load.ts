// A load on a broker, and what the broker used within the load's window.

import type { LoadCommand, LoadResult } from '../load/load.ts'
import type { Durability } from '../peers/peer.ts'
import type { Usage } from '../peers/usage.ts'
import type { Sample } from '../report/result.ts'
import type { SharedRound } from './workload.ts'

export interface MeasuredLoad extends LoadResult {
  readonly brokerCpuSeconds: number
  /** Resident in the broker's processes when the window closed. */
  readonly brokerBytes: number
}

export async function measureLoad({ load, broker }: SharedRound, command: LoadCommand): Promise<MeasuredLoad> {
  let before: Usage | undefined
  let after: Usage | undefined
  const result = await load.run(command, {
    begin: () => (before = broker.usage()),
    end: () => (after = broker.usage()),
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
  }
}

/** Named after the row, the peer and the round, so that a topic that is still being deleted is in nobody's way. */
export async function withTopic<T>(
  round: SharedRound,
  { partitions, durability }: { readonly partitions: number; readonly durability: Durability },
  work: (topic: string) => Promise<T>,
): Promise<T> {
  const topic = `${round.name}-${round.index}`
  await createTopic(round, { topic, partitions, durability })
  try {
    return await work(topic)
  } finally {
    await deleteTopic(round, topic)
  }
}

export async function createTopic(
  { load, broker, peer }: SharedRound,
  {
    topic,
    partitions,
    durability,
  }: { readonly topic: string; readonly partitions: number; readonly durability: Durability },
): Promise<void> {
  const configs = peer.topicConfigs(durability)
  await load.run({
    kind: 'createTopic',
    bootstrap: broker.bootstrap,
    topic,
    partitions,
    replicationFactor: 1,
    configs,
  })
}

export async function deleteTopic({ load, broker }: SharedRound, topic: string): Promise<void> {
  await load.run({ kind: 'deleteTopic', bootstrap: broker.bootstrap, topic })
}
