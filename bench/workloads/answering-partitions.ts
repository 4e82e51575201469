// When a broker serves partitions again: it says where their logs end.

import { setTimeout as delay } from 'node:timers/promises'
import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { RawClient } from '../raw-client.ts'

const latest = -1n
const retryMs = 5
/** Far more than any start should take. */
const waitMsMax = 120_000

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: number
}

/** Resolves when every partition has answered, with the sum of their log end offsets. Asks one topic after the other, so as to ask little. */
export async function untilAllAnswer(bootstrap: string, topics: readonly TopicPartitions[]): Promise<number> {
  const deadline = performance.now() + waitMsMax
  const client = await RawClient.connect(bootstrap)
  try {
    let sum = 0
    for (const topic of topics) {
      for (;;) {
        const ends = await endsOf(client, topic)
        if (ends !== null) {
          for (const end of ends) sum += end
          break
        }
        if (performance.now() > deadline) throw new Error(`partitions of ${topic.topic} still do not answer`)
        await delay(retryMs)
      }
    }
    return sum
  } finally {
    client.close()
  }
}

/** Null while one of them is not served. */
async function endsOf(client: RawClient, { topic, partitions }: TopicPartitions): Promise<number[] | null> {
  const { topics } = await client.request(listOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: topic,
        partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: latest })),
      },
    ],
  })
  const answers = topics[0]?.partitions ?? []
  const isServed = answers.length === partitions && answers.every(({ errorCode }) => errorCode === ErrorCode.NONE)
  return isServed ? answers.map(({ offset }) => offset) : null
}
