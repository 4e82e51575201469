// DescribeLogDirs: the one folder with logs, and the size of each log in it (ReplicaManager.describeLogDirs). v4: the volume (KIP-827).
// v5: whether new replicas are kept out (KIP-1066), which cannot be asked for here. There are no moves between folders, so no lag.

import type {
  describeLogDirs,
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
} from '../../protocol/apis/describe-log-dirs.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Partition } from '../../replication/partition.ts'
import type { ReplicaSet } from '../../replication/replica-set.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'

type Needs = 'replicas' | 'logFolder' | 'logger'
type Context = RequestContext & Pick<Services, Needs>
type Result = DescribeLogDirsResponse['results'][number]
type Topic = Result['topics'][number]

/** What KIP-827 says for a size that is not known. */
const unknownBytes = -1

export const handleDescribeLogDirs: Handler<typeof describeLogDirs, Needs> = async (context, request) => ({
  throttleTimeMs: 0,
  errorCode: ErrorCode.NONE,
  results: [await describe(context, request.topics)],
})

async function describe(context: Context, asked: DescribeLogDirsRequest['topics']): Promise<Result> {
  const { logFolder, logger, replicas } = context
  const { offline, leading, idle, opening } = replicas.count()
  // A log that failed is left out. When none is left the folder itself has failed.
  if (offline > 0 && leading + idle + opening === 0) return failed(context)
  try {
    const { totalBytes, freeBytes } = await logFolder.volume()
    return {
      errorCode: ErrorCode.NONE,
      logDir: logFolder.path,
      topics: sizesOf(partitionsOf(replicas, asked)),
      totalBytes: Number.isFinite(totalBytes) ? totalBytes : unknownBytes,
      usableBytes: Number.isFinite(freeBytes) ? freeBytes : unknownBytes,
      isCordoned: false,
    }
  } catch (error) {
    logger.error({ err: error, folder: logFolder.path }, 'the volume of the data folder could not be asked for')
    return failed(context)
  }
}

function failed({ logFolder }: Context): Result {
  return {
    errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
    logDir: logFolder.path,
    topics: [],
    totalBytes: unknownBytes,
    usableBytes: unknownBytes,
    isCordoned: false,
  }
}

/** Each once, however often it was asked for; null asks for all. */
function partitionsOf(replicas: ReplicaSet, asked: DescribeLogDirsRequest['topics']): Iterable<Partition> {
  if (asked === null) return replicas.all()
  const found = new Set<Partition>()
  for (const { topic, partitions } of asked) {
    for (const index of partitions) {
      const partition = replicas.find(topic, index)
      if (partition !== undefined) found.add(partition)
    }
  }
  return found
}

function sizesOf(partitions: Iterable<Partition>): Topic[] {
  const topics = new Map<string, Topic['partitions'][number][]>()
  for (const { topic, index, log, state } of partitions) {
    if (log === null || state === 'offline') continue
    let sizes = topics.get(topic)
    if (sizes === undefined) topics.set(topic, (sizes = []))
    sizes.push({ partitionIndex: index, partitionSize: log.sizeBytes, offsetLag: 0, isFutureKey: false })
  }
  return [...topics].map(([name, sizes]) => ({ name, partitions: sizes }))
}
