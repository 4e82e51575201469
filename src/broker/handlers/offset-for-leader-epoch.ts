// OffsetForLeaderEpoch: where a leader epoch ended in this log. Consumers ask after a change of leader whether what they have read
// was cut off (KIP-320); followers ask where their log parts from the leader's (KIP-101).

import type {
  offsetForLeaderEpoch,
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/apis/offset-for-leader-epoch.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import { servedPartition } from '../served-partition.ts'
import type { Services } from '../services.ts'

type Wanted = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]
type Found = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number]

export const handleOffsetForLeaderEpoch: Handler<typeof offsetForLeaderEpoch, 'cluster' | 'replicas'> = (
  context,
  request,
) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((wanted) => endOffset(context, topic, wanted)),
  })),
})

function endOffset(services: Pick<Services, 'cluster' | 'replicas'>, topic: string, wanted: Wanted): Found {
  const served = servedPartition(services, topic, wanted.partition, wanted.currentLeaderEpoch)
  if (typeof served === 'number') {
    return { errorCode: served, partition: wanted.partition, leaderEpoch: -1, endOffset: -1 }
  }
  const { epoch, endOffset } = served.log!.endOffsetForEpoch(wanted.leaderEpoch)
  return { errorCode: ErrorCode.NONE, partition: wanted.partition, leaderEpoch: epoch, endOffset }
}
