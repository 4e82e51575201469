// Topics come and go, and which brokers lead their partitions.

import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { deleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { metadata, type MetadataResponse } from '../../src/protocol/apis/metadata.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { RawClient } from '../raw-client.ts'
import type { CreateTopic, DeleteTopic, TopicShape } from './load.ts'
import { versions } from './versions.ts'

/** How long a change of topics may take until all brokers know it. */
const settledMsMax = 60_000
const retryMs = 5

/** Partitions by the address of their leader. */
export type Leaders = ReadonlyMap<string, readonly number[]>

/** Returns when every partition answers at its leader. */
export async function createTopic(command: CreateTopic): Promise<void> {
  const { bootstrap, topic, partitions, replicationFactor, configs } = command
  await asked(bootstrap, async (client) => {
    const answer = await client.request(createTopics, versions.createTopics, {
      topics: [
        {
          name: topic,
          numPartitions: partitions,
          replicationFactor,
          configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
      timeoutMs: settledMsMax,
    })
    const created = answer.topics[0]
    const code = created?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (code !== ErrorCode.NONE) throw new Error(`create ${topic}: ${errorName(code)} ${created?.errorMessage ?? ''}`)
  })
  await endOffsets(command)
}

/** Returns when no broker that was asked knows the topic any more; one that is not there is as good as deleted. */
export async function deleteTopic({ bootstrap, topic }: DeleteTopic): Promise<void> {
  await asked(bootstrap, async (client) => {
    const { responses } = await client.request(deleteTopics, versions.deleteTopics, {
      topicNames: [topic],
      timeoutMs: settledMsMax,
    })
    const code = responses[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    // A deletion that takes longer than the broker waits goes on all the same.
    const gone: readonly number[] = [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.REQUEST_TIMED_OUT]
    if (!gone.includes(code)) throw new Error(`delete ${topic}: ${errorName(code)}`)
    await settled(`${topic} is still there`, async () => {
      const known = await described(client, topic)
      return known.topics[0]?.errorCode === ErrorCode.NONE ? null : true
    })
  })
}

/** Waits until every partition has a leader. */
export async function leadersOf({ bootstrap, topic, partitions }: TopicShape): Promise<Leaders> {
  return asked(bootstrap, async (client) =>
    settled(`${topic} has partitions without a leader`, async () => {
      const leaders = leadersIn(await described(client, topic))
      return partitionsOf(leaders).length === partitions ? leaders : null
    }),
  )
}

/** Of those partitions of the one topic asked for that have a leader. */
export function leadersIn({ brokers, topics }: MetadataResponse): Leaders {
  const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]))
  const leaders = new Map<string, number[]>()
  for (const { errorCode, partitionIndex, leaderId } of topics[0]?.partitions ?? []) {
    const address = addresses.get(leaderId)
    if (errorCode !== ErrorCode.NONE || address === undefined) continue
    const together = leaders.get(address) ?? []
    leaders.set(address, together)
    together.push(partitionIndex)
  }
  for (const together of leaders.values()) together.sort((a, b) => a - b)
  return leaders
}

export function partitionsOf(leaders: Leaders): number[] {
  return [...leaders.values()].flat().sort((a, b) => a - b)
}

/** By partition: the offset of the first record, and the one that the next record will get. */
export async function startOffsets(topic: TopicShape): Promise<number[]> {
  return offsets(topic, -2n)
}

export async function endOffsets(topic: TopicShape): Promise<number[]> {
  return offsets(topic, -1n)
}

async function offsets(shape: TopicShape, timestamp: bigint): Promise<number[]> {
  const { topic, partitions } = shape
  // A broker may not yet have taken up what the metadata say.
  return settled(`${topic} does not answer at its leaders`, async () => {
    const found = Array.from({ length: partitions }, () => -1)
    for (const [address, led] of await leadersOf(shape)) {
      const { topics } = await asked(address, async (client) =>
        client.request(listOffsets, versions.listOffsets, {
          replicaId: -1,
          topics: [{ name: topic, partitions: led.map((partitionIndex) => ({ partitionIndex, timestamp })) }],
        }),
      )
      for (const { partitionIndex, errorCode, offset } of topics[0]?.partitions ?? []) {
        if (errorCode === ErrorCode.NONE) found[partitionIndex] = offset
        else if (!isRetriable(errorCode)) throw new Error(`offsets of ${topic}: ${errorName(errorCode)}`)
      }
    }
    return found.includes(-1) ? null : found
  })
}

export async function described(client: RawClient, topic: string): Promise<MetadataResponse> {
  return client.request(metadata, versions.metadata, { topics: [{ name: topic }], allowAutoTopicCreation: false })
}

async function asked<T>(address: string, work: (client: RawClient) => Promise<T>): Promise<T> {
  const client = await RawClient.connect(address)
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

/** Tries until `attempt` gives something, for a minute. */
export async function settled<T>(complaint: string, attempt: () => Promise<T | null>): Promise<T> {
  const giveUpAtMs = performance.now() + settledMsMax
  for (;;) {
    const found = await attempt()
    if (found !== null) return found
    if (performance.now() > giveUpAtMs) throw new Error(complaint)
    await sleep(retryMs)
  }
}
