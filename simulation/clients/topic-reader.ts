// Reads all partitions of a topic, each from the beginning to wherever it ends now, as Kafka's consumers do: from the leader, or from a
// nearer replica where the leader names one (KIP-392), with the leader epochs it has heard of (KIP-320). One fetch at a time for each
// broker, with all partitions that are read there.

import type { Millis } from '../../src/io/clock.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import type { ResponseOf } from '../../src/protocol/schema/index.ts'
import { leaderEpochOf, nextOffsetOf } from '../../src/records/batch.ts'
import { batchesIn } from '../../src/records/batches-in.ts'
import { recordsOf } from '../../src/records/record.ts'
import type { Offset } from '../../src/storage/partition-log.ts'
import { Violation } from '../contracts.ts'
import type { ClusterClient } from './cluster-client.ts'
import { Disconnected } from './connection.ts'
import { FetchSession } from './fetch-session.ts'

export interface ReadRecord {
  readonly offset: Offset
  readonly leaderEpoch: number
  readonly value: string
}

export interface TopicReaderOptions {
  readonly client: ClusterClient
  readonly topic: string
  /** Of Fetch: 11 and later. From 13 on topics are named by id. */
  readonly version: number
  readonly maxBytes: number
  readonly maxWaitMs: Millis
  /** Whether it keeps fetch sessions (KIP-227), as Java does; librdkafka and KafkaJS do without. */
  readonly sessions: boolean
  readonly onRecords: (index: number, records: readonly ReadRecord[]) => void
  /** What the leader says of the partition, with every answer. */
  readonly onOffsets?: (index: number, offsets: { highWatermark: Offset; logStartOffset: Offset }) => void
}

interface Reading {
  readonly index: number
  position: Offset
  /** Of the last record read. */
  lastEpoch: number
  /** Instead of the leader, until then. */
  nearer: { readonly brokerId: number; readonly until: Millis } | null
  /** Broker that is asked for it now. */
  askedAt: number | null
  /** After an answer that brings it no further. */
  notBefore: Millis
}

type PartitionAnswer = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]
type Answer = ResponseOf<typeof fetch>

/** How long a nearer replica is kept to without asking the leader again. */
const nearerMs = 5000

export class TopicReader {
  readonly #options: TopicReaderOptions
  readonly #partitions: Reading[] = []
  readonly #sessions = new Map<number, FetchSession>()
  #isStopped = false
  #running: Promise<void> | null = null
  /** Fetches under way. */
  #asking = 0
  #wake: (() => void) | null = null
  /** Something went wrong in a fetch that is a bug. */
  #fault: unknown = null

  constructor(options: TopicReaderOptions) {
    this.#options = options
  }

  /** Offset of the next record, by partition. */
  get positions(): readonly Offset[] {
    return this.#partitions.map(({ position }) => position)
  }

  /** Reads until `stop`. Rejects with what breaks a rule. */
  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake?.()
    await this.#running
  }

  async #run(): Promise<void> {
    const { client, topic } = this.#options
    let round = 0
    while (!this.#isStopped) {
      if (this.#fault !== null) throw this.#fault
      if (client.topic(topic) === undefined || round % 64 === 63) await client.refresh(topic)
      round += 1
      this.#notePartitions()
      const waitMs = this.#ask()
      await this.#woken(waitMs)
    }
    while (this.#asking > 0) await this.#woken(100)
    if (this.#fault !== null) throw this.#fault
  }

  #woken(waitMs: Millis): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.client.world.clock.setTimer(waitMs, resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #notePartitions(): void {
    const count = this.#options.client.topic(this.#options.topic)?.partitions.length ?? 0
    for (let index = this.#partitions.length; index < count; index++) {
      this.#partitions.push({ index, position: 0, lastEpoch: -1, nearer: null, askedAt: null, notBefore: 0 })
    }
  }

  /** Asks every broker that has something to read and is not asked already. Answers how long to wait for anything else to do. */
  #ask(): Millis {
    const { client, topic } = this.#options
    const now = client.world.clock.monotonic()
    const byBroker = new Map<number, Reading[]>()
    const busy = new Set<number>()
    let waitMs = 500
    for (const reading of this.#partitions) {
      if (reading.askedAt !== null) {
        busy.add(reading.askedAt)
        continue
      }
      const target = this.#target(reading, now)
      if (target === null) continue
      if (reading.notBefore > now) waitMs = Math.min(waitMs, reading.notBefore - now)
      else byBroker.set(target, [...(byBroker.get(target) ?? []), reading])
    }
    for (const [brokerId, readings] of byBroker) {
      if (busy.has(brokerId)) continue
      const topicId = client.topic(topic)?.id
      if (topicId !== undefined) void this.#fetch(brokerId, topicId, readings)
    }
    return waitMs
  }

  #target(reading: Reading, now: Millis): number | null {
    if (reading.nearer !== null && reading.nearer.until > now) return reading.nearer.brokerId
    reading.nearer = null
    return this.#options.client.partition(this.#options.topic, reading.index)?.leader ?? null
  }

  async #fetch(brokerId: number, topicId: string, readings: readonly Reading[]): Promise<void> {
    const { client, topic } = this.#options
    this.#asking += 1
    for (const reading of readings) reading.askedAt = brokerId
    const session = this.#sessionWith(brokerId)
    try {
      const isFull = session?.isFull ?? true
      const request = this.#request(topicId, readings, session)
      const answer = await client.ask(brokerId, fetch, this.#options.version, request)
      if (session === null || this.#isOpen(session, answer)) await this.#take(brokerId, readings, answer, isFull)
    } catch (error) {
      if (error instanceof Disconnected) {
        session?.reset()
        for (const reading of readings) {
          reading.nearer = null
          this.#later(reading)
        }
        await client.refresh(topic)
      } else this.#fault ??= error
    } finally {
      this.#asking -= 1
      for (const reading of readings) reading.askedAt = null
      this.#wake?.()
    }
  }

  #sessionWith(brokerId: number): FetchSession | null {
    if (!this.#options.sessions) return null
    let session = this.#sessions.get(brokerId)
    if (session === undefined) this.#sessions.set(brokerId, (session = new FetchSession()))
    return session
  }

  /** False when the broker does not know it any more: the next fetch opens another. */
  #isOpen(session: FetchSession, { errorCode, sessionId }: Answer): boolean {
    const isLost =
      errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND || errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH
    if (isLost) session.reset()
    else session.answered(sessionId)
    return !isLost
  }

  #request(topicId: string, readings: readonly Reading[], session: FetchSession | null) {
    const { client, topic, version, maxBytes, maxWaitMs } = this.#options
    const all = readings.map(({ index, position, lastEpoch }) => ({
      partition: index,
      currentLeaderEpoch: client.partition(topic, index)?.leaderEpoch ?? -1,
      fetchOffset: position,
      lastFetchedEpoch: version >= 12 ? lastEpoch : -1,
    }))
    const asked = session?.request(all) ?? { sessionId: 0, sessionEpoch: -1, wanted: all, forgotten: [] }
    const name = version >= 13 ? { topicId } : { topic }
    const partitions = asked.wanted.map(({ lastFetchedEpoch, ...one }) => ({
      ...one,
      ...(version >= 12 && { lastFetchedEpoch }),
      partitionMaxBytes: maxBytes,
    }))
    return {
      maxWaitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: 0,
      sessionId: asked.sessionId,
      sessionEpoch: asked.sessionEpoch,
      topics: partitions.length === 0 ? [] : [{ ...name, partitions }],
      forgottenTopicsData: asked.forgotten.length === 0 ? [] : [{ ...name, partitions: [...asked.forgotten] }],
      rackId: client.rack,
    }
  }

  /** `isFull`: every partition is in it. */
  async #take(brokerId: number, readings: readonly Reading[], answer: Answer, isFull: boolean): Promise<void> {
    const { client, topic } = this.#options
    if (answer.errorCode !== ErrorCode.NONE) {
      throw new Violation('a reader is only refused what passes', `${client.name}: ${errorName(answer.errorCode)}`)
    }
    let stale = false
    for (const reading of readings) {
      const said = answer.responses[0]?.partitions.find(({ partitionIndex }) => partitionIndex === reading.index)
      if (said === undefined) {
        if (!isFull) continue
        throw new Violation('every partition is answered', `${topic}-${reading.index} was not, in Fetch`)
      }
      if (said.errorCode === ErrorCode.NONE) this.#takeRecords(brokerId, reading, said)
      else if (!this.#takeError(brokerId, reading, said, answer)) stale = true
    }
    if (stale) await client.refresh(topic)
  }

  #takeRecords(brokerId: number, reading: Reading, said: PartitionAnswer): void {
    const { client, topic } = this.#options
    const { index, position } = reading
    const isFromLeader = reading.nearer?.brokerId !== brokerId
    const word = `${client.name} at ${position} of ${topic}-${index}, broker ${brokerId}`
    if (said.divergingEpoch.endOffset >= 0) {
      // A follower that was cut meanwhile; a leader has all that was ever seen.
      if (!isFromLeader) return this.#backToLeader(reading)
      throw new Violation(
        'what consumers have read stays',
        `${word}: diverges at ${said.divergingEpoch.endOffset} of epoch ${said.divergingEpoch.epoch}`,
      )
    }
    if (said.preferredReadReplica >= 0) {
      const until = client.world.clock.monotonic() + nearerMs
      reading.nearer = { brokerId: said.preferredReadReplica, until }
      return
    }
    const records: ReadRecord[] = []
    for (const chunk of said.records ?? []) {
      for (const batch of batchesIn(chunk)) {
        const leaderEpoch = leaderEpochOf(batch)
        for (const { offset, value } of recordsOf(batch)) {
          if (offset >= position) records.push({ offset, leaderEpoch, value: Buffer.from(value ?? []).toString() })
        }
        if (nextOffsetOf(batch) > said.highWatermark) {
          throw new Violation(
            'consumers read below the high watermark',
            `${word}: a batch to ${nextOffsetOf(batch)}, the high watermark is ${said.highWatermark}`,
          )
        }
        reading.position = Math.max(reading.position, nextOffsetOf(batch))
        reading.lastEpoch = leaderEpoch
      }
    }
    if (isFromLeader) this.#options.onOffsets?.(index, said)
    if (records.length > 0) this.#options.onRecords(index, records)
    else if (said.highWatermark <= position) reading.notBefore = client.world.clock.monotonic() + 5
  }

  /** False when the metadata has to be asked for. */
  #takeError(brokerId: number, reading: Reading, said: PartitionAnswer, { nodeEndpoints }: Answer): boolean {
    const { client, topic } = this.#options
    const { index, position } = reading
    this.#later(reading)
    if (reading.nearer?.brokerId === brokerId) {
      this.#backToLeader(reading)
      return true
    }
    if (said.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      throw new Violation(
        'what consumers have read stays',
        `${client.name} has read ${topic}-${index} to ${position}, and is out of range at its leader, broker ${brokerId}`,
      )
    }
    if (client.heardOf(topic, index, said.currentLeader, nodeEndpoints)) return true
    if (!isRetriable(said.errorCode)) {
      throw new Violation(
        'a reader is only refused what passes',
        `${client.name} ${topic}-${index}: ${errorName(said.errorCode)}`,
      )
    }
    return false
  }

  #backToLeader(reading: Reading): void {
    reading.nearer = null
    this.#later(reading)
  }

  #later(reading: Reading): void {
    const { client } = this.#options
    reading.notBefore = client.world.clock.monotonic() + 20 + client.random.below(100)
  }
}
