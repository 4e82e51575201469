// The probe's topics, and the requests about them: rare, so they go through the protocol layer.

import { join } from 'node:path'
import { createTopics } from '../../../src/protocol/apis/create-topics.ts'
import { deleteTopics } from '../../../src/protocol/apis/delete-topics.ts'
import { listOffsets } from '../../../src/protocol/apis/list-offsets.ts'
import { metadata } from '../../../src/protocol/apis/metadata.ts'
import { ErrorCode } from '../../../src/protocol/error-code.ts'
import { decodeRequest, decodeRequestHeader, encodeResponse } from '../../../src/protocol/frame.ts'
import type { AnyApi, RequestOf, ResponseInput } from '../../../src/protocol/schema/index.ts'
import { PartitionFile } from './partition-file.ts'

const brokerId = 1
const fromTheBeginning = -2n

export class Topic {
  readonly partitions: readonly PartitionFile[]
  /** Called, as often as they are still here, whenever there is more to read in any partition. */
  readonly readers = new Set<() => void>()

  constructor(path: string, count: number, sync: boolean) {
    const onMore = (): void => {
      for (const reader of this.readers) reader()
    }
    const indexes = Array.from({ length: count }, (_, index) => index)
    this.partitions = indexes.map((index) => new PartitionFile({ path: `${path}-${index}`, index, sync, onMore }))
  }
}

export class Topics {
  readonly #folder: string
  readonly #port: number
  readonly #topics = new Map<string, Topic>()

  constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
  }

  get(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  /** The answer to a request that is neither Produce nor Fetch. */
  answer(frame: Uint8Array): Uint8Array[] {
    const { apiKey, apiVersion, correlationId, bodyOffset } = decodeRequestHeader(frame)
    const reply = <A extends AnyApi>(api: A, handle: (request: RequestOf<A>) => ResponseInput<A>): Uint8Array[] =>
      encodeResponse(api, apiVersion, correlationId, handle(decodeRequest(api, apiVersion, frame, bodyOffset)))
    switch (apiKey) {
      case metadata.key:
        return reply(metadata, (request) => this.#describe(request))
      case createTopics.key:
        return reply(createTopics, (request) => ({ topics: request.topics.map((topic) => this.#create(topic)) }))
      case deleteTopics.key:
        return reply(deleteTopics, (request) => ({ responses: request.topicNames.map((name) => this.#delete(name)) }))
      case listOffsets.key:
        return reply(listOffsets, (request) => this.#offsets(request))
      default:
        throw new Error(`the probe serves no API ${apiKey}`)
    }
  }

  #create({ name, numPartitions, configs }: RequestOf<typeof createTopics>['topics'][number]): {
    name: string
    errorCode: ErrorCode
  } {
    if (this.#topics.has(name)) return { name, errorCode: ErrorCode.TOPIC_ALREADY_EXISTS }
    const sync = configs.some((config) => config.name === 'flush.policy' && config.value === 'fsync')
    this.#topics.set(name, new Topic(join(this.#folder, name), numPartitions, sync))
    return { name, errorCode: ErrorCode.NONE }
  }

  #delete(name: string): { name: string; errorCode: ErrorCode } {
    const topic = this.#topics.get(name)
    if (topic === undefined) return { name, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
    this.#topics.delete(name)
    for (const partition of topic.partitions) partition.remove()
    // Who waits finds that there is nothing any more.
    for (const reader of topic.readers) reader()
    return { name, errorCode: ErrorCode.NONE }
  }

  #describe({ topics }: RequestOf<typeof metadata>): ResponseInput<typeof metadata> {
    const names = topics?.map(({ name }) => name ?? '') ?? [...this.#topics.keys()]
    return {
      brokers: [{ nodeId: brokerId, host: '127.0.0.1', port: this.#port }],
      controllerId: brokerId,
      clusterId: 'probe',
      topics: names.map((name) => ({
        name,
        errorCode: this.#topics.has(name) ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        partitions: (this.#topics.get(name)?.partitions ?? []).map(({ index }) => ({
          partitionIndex: index,
          leaderId: brokerId,
          leaderEpoch: 0,
          replicaNodes: [brokerId],
          isrNodes: [brokerId],
        })),
      })),
    }
  }

  #offsets({ topics }: RequestOf<typeof listOffsets>): ResponseInput<typeof listOffsets> {
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => {
          const partition = this.get(name)?.partitions[partitionIndex]
          if (partition === undefined) return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
          const offset = timestamp === fromTheBeginning ? 0 : partition.end()
          return { partitionIndex, errorCode: ErrorCode.NONE, offset }
        }),
      })),
    }
  }
}
