// Where a partition begins and ends, as its leader says.

import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import type { Offset } from '../../src/storage/partition-log.ts'
import { Violation } from '../contracts.ts'
import type { ClusterClient } from './cluster-client.ts'
import { Disconnected } from './connection.ts'

export type LogPlace = 'earliest' | 'latest'

/** Null: there is no answer at the moment. Asks under the leader epoch that the client has heard of. */
export async function offsetOf(
  client: ClusterClient,
  topic: string,
  partitionIndex: number,
  place: LogPlace,
): Promise<Offset | null> {
  const known = client.partition(topic, partitionIndex)
  if (known === undefined) return null
  const timestamp = place === 'latest' ? -1n : -2n
  const partitions = [{ partitionIndex, currentLeaderEpoch: known.leaderEpoch, timestamp }]
  try {
    const body = { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] }
    const answer = await client.ask(known.leader, listOffsets, 7, body)
    const said = answer.topics[0]?.partitions[0]
    if (said === undefined) {
      throw new Violation('every partition is answered', `${topic}-${partitionIndex} was not, in ListOffsets`)
    }
    if (said.errorCode === ErrorCode.NONE) return said.offset
    if (!isRetriable(said.errorCode)) {
      const what = `ListOffsets of ${topic}-${partitionIndex}: ${errorName(said.errorCode)}`
      throw new Violation('a reader is only refused what passes', `${client.name} ${what}`)
    }
    return null
  } catch (error) {
    if (!(error instanceof Disconnected)) throw error
    return null
  }
}
