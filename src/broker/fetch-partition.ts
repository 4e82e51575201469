// One partition that a fetch reads, and within a session also what its client was told last: an incremental response leaves out
// what has not changed (KIP-227).

import type { ClusterImage, TopicImage } from '../cluster/image.ts'
import type { FetchRequest, FetchResponse } from '../protocol/apis/fetch.ts'
import { ErrorCode } from '../protocol/error-code.ts'

export type RequestedPartition = FetchRequest['topics'][number]['partitions'][number]
export type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number]

/** Whether a request names topics by id (Fetch v13 and later) or by name; one session keeps to one of them. */
export type TopicKey = 'name' | 'id'

export class FetchPartition {
  /** As the request has it: empty when it names the topic by id. */
  readonly topic: string
  /** As the request has it: zero when it names the topic by name. */
  readonly topicId: string
  readonly index: number
  /** The topic's name once it is known, also after the topic is gone. */
  name: string | null
  fetchOffset = 0
  maxBytes = 0
  currentLeaderEpoch = -1
  lastFetchedEpoch = -1
  /** Where the log of a follower starts; -1 from others. */
  logStartOffset = -1
  /** What the client was told last; -1 for nothing, or for an error. */
  #toldHighWatermark = -1
  #toldLogStartOffset = -1

  constructor(topic: string, topicId: string, index: number, key: TopicKey) {
    this.topic = topic
    this.topicId = topicId
    this.index = index
    this.name = key === 'name' ? topic : null
  }

  take(requested: RequestedPartition): void {
    this.fetchOffset = requested.fetchOffset
    this.maxBytes = requested.partitionMaxBytes
    // Any negative epoch asks for no check in a fetch (FetchRequest.optionalEpoch).
    this.currentLeaderEpoch = Math.max(-1, requested.currentLeaderEpoch)
    this.lastFetchedEpoch = requested.lastFetchedEpoch
    this.logStartOffset = requested.logStartOffset
  }

  /**
   * Finds the topic in the image. A topic that is not there is refused as in Kafka: an id never seen is UNKNOWN_TOPIC_ID, a name
   * whose topic has another id now INCONSISTENT_TOPIC_ID.
   */
  resolve(image: ClusterImage, key: TopicKey): TopicImage | ErrorCode {
    const topic = key === 'name' ? image.topicsByName.get(this.topic) : image.topicsById.get(this.topicId)
    if (topic !== undefined) {
      this.name = topic.name
      return topic.partitions[this.index] === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : topic
    }
    if (this.name === null) return ErrorCode.UNKNOWN_TOPIC_ID
    return image.topicsByName.has(this.name) ? ErrorCode.INCONSISTENT_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  /** True when the last response had these offsets and no error: without records there is nothing to say. */
  wasTold(highWatermark: number, logStartOffset: number): boolean {
    return this.#toldHighWatermark === highWatermark && this.#toldLogStartOffset === logStartOffset
  }

  /** Whether the last response had this high watermark, or a greater one. */
  wasToldHighWatermark(highWatermark: number): boolean {
    return this.#toldHighWatermark >= highWatermark
  }

  /** Notes what the response says. After an error, or where logs part, the partition is included once more when that is over. */
  told({ errorCode, divergingEpoch, highWatermark, logStartOffset }: PartitionAnswer): void {
    this.#toldHighWatermark = errorCode === ErrorCode.NONE && divergingEpoch.endOffset < 0 ? highWatermark : -1
    this.#toldLogStartOffset = logStartOffset
  }
}
