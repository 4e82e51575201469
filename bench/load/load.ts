// What the load generator can be asked for, and what it answers. It runs in a process of its own (main.ts) that stays up for a whole run,
// so that it is warm for every peer alike: one command a line in, events and one result a line out.

import type { Codec } from '../../src/records/codec.ts'

export interface TopicShape {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
}

/** What is sent. One batch is built before the measurement and sent again and again. */
export interface BatchShape {
  /** Of the value; keys are null. */
  readonly recordBytes: number
  /** As many records as come to this many bytes before compression, at least one. */
  readonly batchBytes: number
  /** Default none. Values are text that compresses to about half. */
  readonly codec?: Codec
}

/**
 * Work goes on for `warmSeconds`, then the window is measured for `seconds`; each ends sooner when so much was produced in it, so that who is
 * fast does not fill the memory with files.
 */
export interface Window {
  readonly warmSeconds: number
  readonly warmBytesMax?: number
  readonly seconds: number
  readonly bytesMax?: number
}

export interface CreateTopic extends TopicShape {
  readonly kind: 'createTopic'
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

export interface DeleteTopic {
  readonly kind: 'deleteTopic'
  readonly bootstrap: string
  readonly topic: string
}

/** Sends batches until there are `bytes` of them, over all partitions; nothing is measured. */
export interface Fill extends TopicShape, BatchShape {
  readonly kind: 'fill'
  readonly bytes: number
}

/** As fast as it goes: one connection for each leader and `partitionsPerRequest` partitions, `inFlight` requests under way on each. */
export interface Produce extends TopicShape, BatchShape, Window {
  readonly kind: 'produce'
  readonly acks: -1 | 0 | 1
  /** Default 5, as Kafka's producers. */
  readonly inFlight?: number
  /** Default: what fits into 1 MiB, as max.request.size, at most all of one connection. */
  readonly partitionsPerRequest?: number
  /** At most so many connections; partitions are shared among them. Default 16. */
  readonly connections?: number
}

/** Reads what is there from the beginning with `consumers` connections that share the partitions; the window is the whole of it. */
export interface Drain extends TopicShape {
  readonly kind: 'drain'
  readonly consumers: number
  /** Kafka's consumers ask for 50 MiB a fetch and 1 MiB a partition; so does this by default. */
  readonly partitionBytes?: number
  /** When several consumers read one partition, each reads all of it. Default 1: once over. */
  readonly passes?: number
}

/** Producers as `Produce`, and consumers that read the same topic: from its end ('tail') or from its beginning ('backlog'). */
export interface ProduceAndConsume extends Omit<Produce, 'kind'> {
  readonly kind: 'produceAndConsume'
  readonly consumers: number
  readonly from: 'tail' | 'backlog'
}

/**
 * Records at a steady rate, whatever the broker does: latency counts from when a record was handed to its producer until the consumer has it.
 * Records are due every `lingerMs` (at least a quarter), all of that time together, and travel in one batch for each partition: lingering
 * itself is not latency.
 */
export interface EndToEnd extends TopicShape, Window {
  readonly kind: 'endToEnd'
  readonly acks: -1 | 0 | 1
  readonly recordBytes: number
  readonly recordsPerSecond: number
  readonly lingerMs: number
}

/** One record a request, its answer awaited; latency is that of the answer. Connections are spread over the partitions. */
export interface ManyConnections extends TopicShape, Window {
  readonly kind: 'manyConnections'
  readonly acks: -1 | 0 | 1
  readonly recordBytes: number
  readonly connections: number
  readonly recordsPerSecondEach: number
}

/** A consumer of a new classic group subscribes, gets its assignment and reads the one record that waits for it. */
export interface FirstRecord {
  readonly kind: 'firstRecord'
  readonly bootstrap: string
  readonly topic: string
  readonly group: string
}

export type LoadCommand =
  | CreateTopic
  | DeleteTopic
  | Fill
  | Produce
  | Drain
  | ProduceAndConsume
  | EndToEnd
  | ManyConnections
  | FirstRecord

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** Of the window alone. */
export interface LoadResult {
  readonly seconds: number
  /** Confirmed (or sent, with acks=0) and read; bytes are those of batches on the wire. */
  readonly produced: { readonly records: number; readonly bytes: number; readonly requests: number }
  readonly consumed: { readonly records: number; readonly bytes: number; readonly requests: number }
  /** Absent when nothing was measured one by one. */
  readonly latency?: Latency
  /** How long after they were due the load generator handed records over, warming up included: which is not in `latency`. */
  readonly lateness?: Latency
  /** Processor time of the load generator itself, user and system: whether it was the bottleneck. */
  readonly cpuSeconds: number
}

/** What the process writes: `begin` and `end` at the window's edges, then its result, or why there is none. */
export type LoadEvent =
  | { readonly event: 'begin' }
  | { readonly event: 'end' }
  | { readonly event: 'result'; readonly result: LoadResult }
  | { readonly event: 'failed'; readonly message: string }
