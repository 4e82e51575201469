// Logs in the data folder that belong to no topic.

import type { ClusterImage } from '../cluster/image.ts'
import type { Logger } from '../lib/logger.ts'
import type { ExistingLog, LogDirectory } from '../storage/log-directory.ts'

/**
 * Logs that belong to no topic of the cluster, or to no replica here, are set aside, so that a topic of that name starts anew: what a
 * stop in the middle of a deletion leaves behind. As in Kafka they are renamed (`<topic>-<partition>.<id>-stray`), never deleted, for
 * it may be the metadata that is wrong. Call it before any log is opened.
 */
export async function setStraysAside(options: {
  directory: LogDirectory
  image: ClusterImage
  brokerId: number
  logger: Logger
}): Promise<void> {
  const { directory, image, brokerId, logger } = options
  for (const log of directory.existing()) {
    if (belongs(log, image, brokerId)) continue
    const folder = `${directory.path}/${await directory.setAside(log)}`
    const { topicName, partition, topicId } = log
    logger.warn(
      { folder, topic: topicName, topicId, partition },
      'a log belongs to no topic of this cluster and was set aside; delete the folder if nobody needs it',
    )
  }
}

/** A log that does not say its topic's id was made a moment before the broker stopped, and is empty: the name decides. */
function belongs({ topicName, topicId, partition }: ExistingLog, image: ClusterImage, brokerId: number): boolean {
  const topic = topicId === null ? image.topicsByName.get(topicName) : image.topicsById.get(topicId)
  if (topic === undefined || topic.name !== topicName) return false
  return topic.partitions[partition]?.replicas.includes(brokerId) ?? false
}
