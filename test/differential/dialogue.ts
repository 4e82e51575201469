// One scenario's conversation with a broker: asks, and notes the answers under the name of the step, by version.

import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { createTopics, fetch, listOffsets } from '../../src/protocol/apis/index.ts'
import { decodeResponse, encodeRequest } from '../../src/protocol/frame.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/protocol/schema/index.ts'
import { waitFor, within } from '../support/wait-for.ts'
import { type Json, Labels } from './normalize.ts'

/** step -> version -> answer */
export type Notes = Map<string, Map<number, Json>>

/** What a step has for an answer when the broker ends the connection, or never answers. */
export const closed = 'closed'

export class Dialogue {
  readonly notes: Notes = new Map()
  readonly bootstrap: string
  readonly #run = randomBytes(4).toString('hex')
  readonly #labels: Labels
  readonly #open = new Set<Peer>()
  #peer: Peer | null = null

  constructor(bootstrap: string) {
    this.bootstrap = bootstrap
    this.#labels = new Labels(this.port, this.#run)
  }

  get port(): number {
    return Number(this.bootstrap.slice(this.bootstrap.lastIndexOf(':') + 1))
  }

  /** A name no other run has; answers show it as `stem`. */
  name(stem: string, version?: number): string {
    return `${stem}.${this.#run}${version === undefined ? '' : `.v${version}`}`
  }

  isOwn(name: string | null): boolean {
    return name?.includes(this.#run) === true
  }

  /** A connection of its own, for a request that waits while others are sent. */
  async connection(clientId = 'differential'): Promise<Peer> {
    const peer = await Peer.open(this.bootstrap, clientId)
    this.#open.add(peer)
    return peer
  }

  /** `closed` when the broker closes the connection instead. */
  async ask<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A> | typeof closed> {
    if (this.#peer === null || this.#peer.isClosed) this.#peer = await this.connection()
    return this.#peer.ask(api, version, body)
  }

  note(step: string, version: number, answer: unknown): void {
    let byVersion = this.notes.get(step)
    if (byVersion === undefined) this.notes.set(step, (byVersion = new Map()))
    if (byVersion.has(version)) throw new Error(`step '${step}' is there twice for version ${version}`)
    byVersion.set(version, this.#labels.normalized(answer))
  }

  /** Asks and notes. */
  async step<A extends AnyApi>(step: string, api: A, version: number, body: RequestInput<A>): Promise<void> {
    this.note(step, version, await this.ask(api, version, body))
  }

  /** The same question in every version that both sides know. */
  async each<A extends AnyApi>(
    step: string,
    api: A,
    body: (version: number) => RequestInput<A>,
    [from, to]: readonly [number, number] = rangeOf(api),
  ): Promise<void> {
    for (let version = from; version <= to; version++) {
      this.#labels.restart()
      await this.step(step, api, version, body(version))
    }
  }

  async inEach([from, to]: readonly [number, number], conversation: (version: number) => Promise<void>): Promise<void> {
    for (let version = from; version <= to; version++) {
      this.#labels.restart()
      await conversation(version)
    }
  }

  /** Creates a topic and answers its id. Not noted. */
  async topic(name: string, configs: Readonly<Record<string, string>> = {}, numPartitions = 1): Promise<string> {
    const topic = {
      name,
      numPartitions,
      replicationFactor: 1,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    }
    const created = await this.ask(createTopics, 7, { topics: [topic], timeoutMs: 10_000 })
    if (created === closed || created.topics[0]!.errorCode !== 0) {
      throw new Error(`no topic ${name}: ${JSON.stringify(created)}`)
    }
    const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: -1n,
    }))
    await waitFor('leaders', async () => {
      const found = await this.ask(listOffsets, 6, { replicaId: -1, topics: [{ name, partitions }] })
      return found !== closed && found.topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)
    })
    const { topicId } = created.topics[0]!
    this.#labels.nameTopic(topicId, name)
    return topicId
  }

  /** Where the log of a partition ends; 0 when there is none. */
  async endOf(name: string, partitionIndex: number): Promise<number> {
    const partitions = [{ partitionIndex, timestamp: -1n }]
    const found = await this.ask(listOffsets, 6, { replicaId: -1, topics: [{ name, partitions }] })
    return found === closed ? 0 : Math.max(0, found.topics[0]!.partitions[0]!.offset)
  }

  /** What is stored from an offset on. */
  async stored(name: string, partition: number, fetchOffset: number): Promise<readonly Uint8Array[] | null> {
    const found = await this.ask(fetch, 12, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1 << 24,
      topics: [{ topic: name, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 24 }] }],
    })
    return found === closed ? null : found.responses[0]!.partitions[0]!.records
  }

  end(): void {
    for (const peer of this.#open) peer.close()
  }
}

export function rangeOf({ versions: [from, to], latestVersionUnstable }: AnyApi): readonly [number, number] {
  return [from, latestVersionUnstable ? to - 1 : to]
}

/** One connection, one request at a time. */
export class Peer {
  readonly #socket: Socket
  readonly #clientId: string
  #received = Buffer.alloc(0)
  #wake: () => void = () => {}
  isClosed = false

  private constructor(socket: Socket, clientId: string) {
    this.#socket = socket
    this.#clientId = clientId
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
      this.#wake()
    })
  }

  static async open(bootstrap: string, clientId: string): Promise<Peer> {
    const colon = bootstrap.lastIndexOf(':')
    const socket = connect({ host: bootstrap.slice(0, colon), port: Number(bootstrap.slice(colon + 1)), noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Peer(socket, clientId)
  }

  async ask<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A> | typeof closed> {
    this.tell(api, version, body)
    const frame = await this.frame()
    if (frame === null) this.close()
    return frame === null ? closed : decodeResponse(api, version, frame).body
  }

  /** Sends and does not wait. */
  tell<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): void {
    this.send(Buffer.concat(encodeRequest(api, version, { correlationId: 1, clientId: this.#clientId }, body)))
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** The next frame without its size; null when the broker closes the connection instead, or stays silent. */
  async frame(timeoutMs = 10_000): Promise<Buffer | null> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const end = this.#received.length < 4 ? Infinity : 4 + this.#received.readInt32BE(0)
      if (this.#received.length >= end) {
        const frame = this.#received.subarray(4, end)
        this.#received = this.#received.subarray(end)
        return frame
      }
      if (this.isClosed || performance.now() > deadline) return null
      const more = new Promise<void>((resolve) => (this.#wake = resolve))
      await within('an answer', more, deadline - performance.now()).catch(() => {})
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}
