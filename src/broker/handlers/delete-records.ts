// DeleteRecords (KIP-107): partitions start at an offset from now on (ReplicaManager.deleteRecords, Partition.deleteRecordsOnLeader).
// An answer without error means that the records will not come back, whatever happens to this broker.

import type { deleteRecords, DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/apis/delete-records.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { DeletedRecords } from '../../replication/partition.ts'
import type { Offset } from '../../storage/partition-log.ts'
import { runAll } from '../bounded-work.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { servedPartition } from '../served-partition.ts'
import type { Services } from '../services.ts'
import { within } from './time-limit.ts'

type Needs = 'cluster' | 'replicas' | 'clock' | 'logger'
type Context = RequestContext & Pick<Services, Needs>
type Answer = DeleteRecordsResponse['topics'][number]['partitions'][number]

/** As an offset it stands for the high watermark. */
const everything = -1
/** Logs that are cut at the same time for one request. */
const deletionsMax = 16

const codeFor = {
  notLeading: ErrorCode.NOT_LEADER_OR_FOLLOWER,
  offsetOutOfRange: ErrorCode.OFFSET_OUT_OF_RANGE,
  compactedOnly: ErrorCode.POLICY_VIOLATION,
} satisfies Record<Extract<DeletedRecords, { ok: false }>['refusal'], ErrorCode>

export const handleDeleteRecords: Handler<typeof deleteRecords, Needs> = async (context, request) => {
  const topics: { readonly name: string; readonly partitions: Answer[] }[] = []
  const tasks: (() => Promise<void>)[] = []
  for (const [name, offsets] of offsetsByTopic(request)) {
    const partitions: Answer[] = []
    topics.push({ name, partitions })
    for (const [index, offset] of offsets) {
      const slot = partitions.push(refused(index, ErrorCode.REQUEST_TIMED_OUT)) - 1
      tasks.push(async () => {
        partitions[slot] = await deleteOne(context, name, index, offset)
      })
    }
  }
  const done = runAll(tasks, deletionsMax)
  // Nothing but the disk is waited for. As in Kafka, who does not want to wait at all still learns how that went.
  if (request.timeoutMs > 0) await within(context.clock, request.timeoutMs, done)
  else await done
  return { throttleTimeMs: 0, topics: topics.map(({ name, partitions }) => ({ name, partitions: [...partitions] })) }
}

/** Of a partition that is named more than once the last offset counts. One beyond 2^53, though not exact, is beyond every log. */
function offsetsByTopic({ topics }: DeleteRecordsRequest): Map<string, Map<number, Offset>> {
  const byTopic = new Map<string, Map<number, Offset>>()
  for (const { name, partitions } of topics) {
    let offsets = byTopic.get(name)
    if (offsets === undefined) byTopic.set(name, (offsets = new Map()))
    for (const { partitionIndex, offset } of partitions) offsets.set(partitionIndex, Number(offset))
  }
  return byTopic
}

async function deleteOne(context: Context, topic: string, index: number, offset: Offset): Promise<Answer> {
  const image = context.cluster.image.topicsByName.get(topic)
  if (image?.partitions[index] === undefined) return refused(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  // What a coordinator keeps is not a client's to delete.
  if (image.internal) return refused(index, ErrorCode.INVALID_TOPIC_EXCEPTION)
  const partition = servedPartition(context, topic, index, -1)
  if (typeof partition === 'number') return refused(index, partition)
  try {
    const deleted = await partition.deleteRecords(offset === everything ? null : offset)
    if (!deleted.ok) return refused(index, codeFor[deleted.refusal])
    return { partitionIndex: index, lowWatermark: deleted.lowWatermark, errorCode: ErrorCode.NONE }
  } catch (error) {
    context.logger.error({ err: error, partition: partition.name }, 'records could not be deleted')
    return refused(index, ErrorCode.KAFKA_STORAGE_ERROR)
  }
}

function refused(partitionIndex: number, errorCode: ErrorCode): Answer {
  return { partitionIndex, lowWatermark: -1, errorCode }
}
