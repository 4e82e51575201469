// Logs in the data folder that belong to no topic.

import { foldersAreGone, topicsDeletedMeanwhile } from '../cluster/awaited-deletions.ts'
import type { ClusterImage } from '../cluster/image.ts'
import type { MetaStore } from '../cluster/meta-store.ts'
import type { Logger } from '../lib/logger.ts'
import type { ExistingLog, LogDirectory } from '../storage/log-directory.ts'

/**
 * Logs that belong to no topic of the cluster, or to no replica here, are set aside, so that a topic of that name starts anew: what a
 * stop in the middle of a deletion leaves behind. As in Kafka they are renamed (`<topic>-<partition>.<id>-stray`), never deleted, for
 * it may be the metadata that is wrong. Only those of topics that were deleted while this broker was away go for good: of these the
 * cluster has kept a note. Call it before any log is opened.
 */
export async function setStraysAside(options: {
  directory: LogDirectory
  image: ClusterImage
  store: MetaStore
  brokerId: number
  logger: Logger
}): Promise<void> {
  const { directory, image, store, brokerId, logger } = options
  const deleted = await topicsDeletedMeanwhile(store, brokerId)
  for (const log of directory.existing()) {
    if (belongs(log, image, brokerId)) continue
    if (log.topicId !== null && deleted.has(log.topicId)) {
      await directory.deleteLog(log)
      continue
    }
    const folder = `${directory.path}/${await directory.setAside(log)}`
    const { topicName, partition, topicId } = log
    logger.warn(
      { folder, topic: topicName, topicId, partition },
      'a log belongs to no topic of this cluster and was set aside; delete the folder if nobody needs it',
    )
  }
  await foldersAreGone(store, brokerId, deleted)
}

/** A log that does not say its topic's id was made a moment before the broker stopped, and is empty: the name decides. */
function belongs({ topicName, topicId, partition }: ExistingLog, image: ClusterImage, brokerId: number): boolean {
  const topic = topicId === null ? image.topicsByName.get(topicName) : image.topicsById.get(topicId)
  if (topic === undefined || topic.name !== topicName) return false
  return topic.partitions[partition]?.replicas.includes(brokerId) ?? false
}
