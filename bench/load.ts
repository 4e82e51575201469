// The load generator, a process of its own: `node bench/load.ts '<Load as JSON>'` prints one `LoadResult` as JSON.
// Batches are built once and sent again and again, so that what is measured is the broker.

import { ErrorCode, errorName } from '../src/protocol/error-code.ts'
import { createTopics } from '../src/protocol/apis/create-topics.ts'
import { fetch } from '../src/protocol/apis/fetch.ts'
import { metadata } from '../src/protocol/apis/metadata.ts'
import { produce } from '../src/protocol/apis/produce.ts'
import { encodeRequest } from '../src/protocol/frame.ts'
import { buildBatch } from '../src/records/batch-builder.ts'
import { nextOffsetOf, recordsCountOf } from '../src/records/batch.ts'
import { forEachBatch } from '../src/records/batches-in.ts'
import { RawClient } from './raw-client.ts'

/** What Kafka's consumers ask for at most: fetch.max.bytes is 50 MiB, max.partition.fetch.bytes 1 MiB. */
const FETCH_BYTES = 1_048_576

export interface Load {
  readonly bootstrap: string
  readonly kind: 'create' | 'produce' | 'fetch'
  readonly topic: string
  readonly partitions: number
  readonly recordBytes: number
  readonly batchBytes: number
  /** Bytes of batches to send or read, over all partitions. */
  readonly totalBytes: number
  readonly acks: number
  /** Requests a connection sends before it waits. */
  readonly inFlight: number
}

export interface LoadResult {
  readonly records: number
  readonly bytes: number
  readonly seconds: number
  /** Request to response, in milliseconds. */
  readonly latencyP50Ms: number
  readonly latencyP99Ms: number
}

export async function create({ bootstrap, topic, partitions }: Load): Promise<void> {
  const client = await RawClient.connect(bootstrap)
  const { topics } = await client.request(createTopics, 5, {
    topics: [{ name: topic, numPartitions: partitions, replicationFactor: 1 }],
    timeoutMs: 30_000,
  })
  client.close()
  const code = topics[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  if (code !== ErrorCode.NONE) throw new Error(`create ${topic}: ${errorName(code)}`)
}

/** A connection to the leader of each partition. */
async function connectToLeaders({ bootstrap, topic, partitions }: Load): Promise<RawClient[]> {
  const client = await RawClient.connect(bootstrap)
  const { brokers, topics } = await client.request(metadata, 9, { topics: [{ name: topic }] })
  client.close()
  return Promise.all(
    Array.from({ length: partitions }, (_, index) => {
      const partition = topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === index)
      const leader = brokers.find(({ nodeId }) => nodeId === partition?.leaderId)
      if (leader === undefined) throw new Error(`partition ${index} of ${topic} has no leader`)
      return RawClient.connect(`${leader.host}:${leader.port}`)
    }),
  )
}

/** One connection for each partition, each with `inFlight` requests of one batch under way. */
async function produceLoad(load: Load): Promise<LoadResult> {
  // A record costs up to 16 bytes beside its value, so that a batch of 1 MiB stays below max.message.bytes.
  const recordsPerBatch = Math.max(1, Math.floor(load.batchBytes / (load.recordBytes + 16)))
  const value = Buffer.alloc(load.recordBytes, 'x')
  const batch = buildBatch(Array.from({ length: recordsPerBatch }, () => ({ key: null, value, timestamp: Date.now() })))
  const requests = Math.max(1, Math.ceil(load.totalBytes / batch.length / load.partitions))
  const latencies: number[] = []
  const clients = await connectToLeaders(load)
  const started = performance.now()
  await Promise.all(
    clients.map(async (client, index) => {
      const frame = encodeRequest(
        produce,
        9,
        { correlationId: 0, clientId: 'odradek-bench' },
        {
          acks: load.acks,
          timeoutMs: 30_000,
          topicData: [{ name: load.topic, partitionData: [{ index, records: [batch] }] }],
        },
      )
      let left = requests
      const one = async (): Promise<void> => {
        while (left-- > 0) {
          const sent = performance.now()
          const response = await client.send(produce, 9, frame)
          latencies.push(performance.now() - sent)
          const code = response.responses[0]?.partitionResponses[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
          if (code !== ErrorCode.NONE) throw new Error(`produce: ${errorName(code)}`)
        }
      }
      await Promise.all(Array.from({ length: load.inFlight }, one))
    }),
  )
  const seconds = (performance.now() - started) / 1000
  for (const client of clients) client.close()
  const sent = requests * load.partitions
  return result(sent * recordsPerBatch, sent * batch.length, seconds, latencies)
}

/** One connection for each partition, reading from the beginning until its share has come. */
async function fetchLoad(load: Load): Promise<LoadResult> {
  const latencies: number[] = []
  let bytes = 0
  let records = 0
  const clients = await connectToLeaders(load)
  const started = performance.now()
  await Promise.all(
    clients.map(async (client, partition) => {
      const share = load.totalBytes / load.partitions
      let fetchOffset = 0
      let got = 0
      while (got < share) {
        const sent = performance.now()
        const response = await client.request(fetch, 11, {
          replicaId: -1,
          maxWaitMs: 500,
          minBytes: 1,
          maxBytes: FETCH_BYTES,
          sessionEpoch: -1,
          topics: [{ topic: load.topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: FETCH_BYTES }] }],
        })
        latencies.push(performance.now() - sent)
        const data = response.responses[0]?.partitions[0]
        if (data === undefined || data.errorCode !== ErrorCode.NONE) {
          throw new Error(`fetch: ${errorName(data?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)}`)
        }
        const before = got
        for (const chunk of data.records ?? []) {
          forEachBatch(chunk, (at) => {
            fetchOffset = nextOffsetOf(chunk, at)
            records += recordsCountOf(chunk, at)
          })
          got += chunk.length
        }
        if (got === before) throw new Error(`partition ${partition} holds only ${got} bytes`)
      }
      bytes += got
    }),
  )
  const seconds = (performance.now() - started) / 1000
  for (const client of clients) client.close()
  return result(records, bytes, seconds, latencies)
}

function result(records: number, bytes: number, seconds: number, latencies: number[]): LoadResult {
  const sorted = latencies.sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { records, bytes, seconds, latencyP50Ms: at(0.5), latencyP99Ms: at(0.99) }
}

const load = JSON.parse(process.argv[2] ?? '{}') as Load
if (load.kind === 'create') await create(load)
else process.stdout.write(JSON.stringify(await (load.kind === 'produce' ? produceLoad(load) : fetchLoad(load))))
