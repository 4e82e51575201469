// The request pipeline for tests: a server on a simulated network and clock, a small table whose handlers answer when the test says
// so, and clients that see every byte.
//
// A request has a name, and its handler answers at once, or when told to if the name begins with '~'.

import { SimulatedClock } from '../io/clock.sim.ts'
import { SimulatedNetwork } from '../io/network.sim.ts'
import type { Network, Socket } from '../io/network.ts'
import { seededRandom } from '../io/random.sim.ts'
import { invariant } from '../lib/invariant.ts'
import type { Logger } from '../lib/logger.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { produce } from '../protocol/apis/produce.ts'
import { syncGroup } from '../protocol/apis/sync-group.ts'
import { decodeResponse, encodeRequest } from '../protocol/frame.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../protocol/schema/index.ts'
import { FrameReader } from '../protocol/frame-reader.ts'
import type { RequestContext } from './handler.ts'
import { apiVersionsHandler } from './handlers/api-versions.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import { BrokerServer, type ServerLimits } from './server.ts'
import { advertised, serve, type ServedApi, tableOf } from './served-api.ts'
import type { Services } from './services.ts'

const generousLimits: ServerLimits = {
  requestBytesMax: 4 * 1024 * 1024,
  queuedRequestBytesMax: 64 * 1024 * 1024,
  unsentResponseBytesMax: 64 * 1024 * 1024,
  idleMsMax: 600_000,
}

interface Pending {
  resolve(): void
  reject(error: unknown): void
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** What the server does to one of its sockets. */
export interface WatchedSocket {
  readonly writes: number[]
  /** Pauses and resumes, oldest first. */
  readonly steps: ('pause' | 'resume')[]
  isPaused: boolean
}

export interface PipelineOptions {
  readonly limits?: Partial<ServerLimits>
  /** When given, bytes arrive cut at random places. */
  readonly seed?: number
}

export class SimulatedPipeline {
  readonly clock = new SimulatedClock()
  readonly network: SimulatedNetwork
  readonly server: BrokerServer
  /** Names of requests whose handler was called, in that order. */
  readonly started: string[] = []
  readonly contexts: RequestContext[] = []
  readonly disconnected: number[] = []
  readonly log: LogLine[] = []
  /** The server's sockets, oldest first. */
  readonly sockets: WatchedSocket[] = []
  /** The socket of each write, in their order over all connections. */
  readonly writers: WatchedSocket[] = []
  /** What a handler does before it answers. */
  onRequest: (name: string) => void = () => undefined
  readonly #pending = new Map<string, Pending>()
  #port = 0

  constructor({ limits = {}, seed }: PipelineOptions = {}) {
    const random = seed === undefined ? {} : { random: seededRandom(seed) }
    this.network = new SimulatedNetwork({ clock: this.clock, ...random })
    this.server = new BrokerServer({
      network: watched(this.network.host('broker'), this.sockets, this.writers),
      clock: this.clock,
      logger: this.#logger(),
      dispatcher: new RequestDispatcher(this.#table(), { clock: this.clock } as unknown as Services),
      limits: { ...generousLimits, ...limits },
      onDisconnected: (id) => void this.disconnected.push(id),
    })
  }

  async listen(): Promise<void> {
    const { port } = await this.server.listen({ name: 'PLAINTEXT', host: '', port: 0 })
    this.#port = port
  }

  async connect(host = 'client'): Promise<SimulatedClient> {
    const connecting = this.network.host(host).connect({ host: 'broker', port: this.#port })
    const [socket] = await Promise.all([connecting, this.clock.advance(1)])
    return new SimulatedClient(socket)
  }

  /** Lets the network work. */
  run(ms = 5): Promise<void> {
    return this.clock.advance(ms)
  }

  get pending(): string[] {
    return [...this.#pending.keys()]
  }

  answer(...names: readonly string[]): void {
    for (const name of names) this.#take(name).resolve()
  }

  fail(name: string, error: unknown): void {
    this.#take(name).reject(error)
  }

  /** Lines a user would see. */
  get visibleLog(): LogLine[] {
    return this.log.filter(({ level }) => level !== 'debug')
  }

  #take(name: string): Pending {
    const pending = this.#pending.get(name)
    invariant(pending !== undefined, `no request '${name}' is waiting`)
    this.#pending.delete(name)
    return pending
  }

  #table() {
    const rows: ServedApi[] = [
      serve(produce, (context, { transactionalId, acks }) =>
        this.#answerTo(context, transactionalId ?? '', () => (acks === 0 ? null : produceResponse)),
      ),
      serve(syncGroup, (context, { groupId, generationId }) =>
        this.#answerTo(context, groupId, () => syncGroupResponse(generationId)),
      ),
      serve(
        apiVersions,
        apiVersionsHandler(() => advertised(rows)),
      ),
    ]
    return tableOf(rows)
  }

  #answerTo<T>(context: RequestContext, name: string, response: () => T): T | Promise<T> {
    this.started.push(name)
    this.contexts.push(context)
    this.onRequest(name)
    if (!name.startsWith('~')) return response()
    return new Promise((resolve, reject) => {
      this.#pending.set(name, { resolve: () => resolve(response()), reject })
    })
  }

  #logger(): Logger {
    const at = (level: LogLine['level']) => (fields: object, message: string) =>
      void this.log.push({ level, message, fields: { ...fields } })
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }
}

const produceResponse: ResponseOf<typeof produce> = { responses: [], throttleTimeMs: 0, nodeEndpoints: [] }

function syncGroupResponse(bytes: number): ResponseOf<typeof syncGroup> {
  const assignment = Buffer.alloc(bytes)
  return { throttleTimeMs: 0, errorCode: 0, protocolType: null, protocolName: null, assignment }
}

/** A client that sends what it is told and reads everything, until its socket is paused. */
export class SimulatedClient {
  readonly socket: Socket
  /** Whole replies without their size field. */
  readonly replies: Uint8Array[] = []
  /** Null while the connection is open. */
  closed: { readonly error: Error | undefined } | null = null
  readonly #reader = new FrameReader(0x7fffffff)
  #nextCorrelationId = 1

  constructor(socket: Socket) {
    this.socket = socket
    socket.onData = (bytes) => {
      this.#reader.push(bytes)
      for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) this.replies.push(frame)
      this.#reader.keep()
    }
    socket.onClose = (error) => {
      this.closed = { error }
    }
  }

  /** Correlation ids of the replies. */
  get answered(): number[] {
    return this.replies.map((reply) => Buffer.from(reply).readInt32BE(0))
  }

  send(bytes: Uint8Array): void {
    this.socket.write([bytes])
  }

  /** Sends a produce request that carries `bytes` of records. Answers with its correlation id. */
  produce(name: string, { acks = -1, bytes = 0 }: { acks?: number; bytes?: number } = {}): number {
    this.send(this.produceFrame(name, { acks, bytes }))
    return this.#nextCorrelationId - 1
  }

  produceFrame(name: string, { acks = -1, bytes = 0 }: { acks?: number; bytes?: number } = {}): Buffer {
    const partitionData = [{ index: 0, records: [Buffer.alloc(bytes)] }]
    const body = { transactionalId: name, acks, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] }
    return this.frame(produce, 9, body)
  }

  /** Sends a request of another kind, whose reply carries `replyBytes`. Answers with its correlation id. */
  ask(name: string, { replyBytes = 0, bytes = 0 }: { replyBytes?: number; bytes?: number } = {}): number {
    this.send(this.askFrame(name, { replyBytes, bytes }))
    return this.#nextCorrelationId - 1
  }

  askFrame(name: string, { replyBytes = 0, bytes = 0 }: { replyBytes?: number; bytes?: number } = {}): Buffer {
    const assignments = [{ memberId: 'm', assignment: Buffer.alloc(bytes) }]
    return this.frame(syncGroup, 5, { groupId: name, generationId: replyBytes, memberId: 'm', assignments })
  }

  /** A whole frame, size field included, with the next correlation id. */
  frame<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Buffer {
    const correlationId = this.#nextCorrelationId++
    return Buffer.concat(encodeRequest(api, version, { correlationId, clientId: 'test-client' }, body))
  }

  /** The reply at `index`, as `version` of `api`. */
  reply<A extends AnyApi>(api: A, version: number, index = this.replies.length - 1) {
    const frame = this.replies[index]
    invariant(frame !== undefined, `no reply ${index}`)
    return decodeResponse(api, version, frame)
  }
}

/** The same network, and a record of what its accepted sockets are told. */
function watched(network: Network, sockets: WatchedSocket[], writers: WatchedSocket[]): Network {
  return {
    connect: (options) => network.connect(options),
    listen: (options, onConnection) =>
      network.listen(options, (socket) => {
        sockets.push(watch(socket, writers))
        onConnection(socket)
      }),
  }
}

function watch(socket: Socket, writers: WatchedSocket[]): WatchedSocket {
  const seen: WatchedSocket = { writes: [], steps: [], isPaused: false }
  const write = socket.write.bind(socket)
  const pause = socket.pause.bind(socket)
  const resume = socket.resume.bind(socket)
  socket.write = (chunks) => {
    writers.push(seen)
    seen.writes.push(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    return write(chunks)
  }
  socket.pause = () => {
    seen.steps.push('pause')
    seen.isPaused = true
    pause()
  }
  socket.resume = () => {
    seen.steps.push('resume')
    seen.isPaused = false
    resume()
  }
  return seen
}
