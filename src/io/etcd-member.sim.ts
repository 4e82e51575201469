// One member of the simulated etcd: what it was sent, and the watches it serves.

import { type EtcdState, latin1, refused, type StateEvent } from './etcd-state.sim.ts'
import {
  EtcdError,
  type EtcdMethod,
  type EtcdRequest,
  type EtcdResponse,
  type EtcdWatchHandler,
  type EtcdWatchRequest,
  type EtcdWatchResponse,
  status,
} from './etcd.ts'

/** What all members agree on. */
export interface SimulatedMembers {
  readonly state: EtcdState
  /** Whether members know that nobody leads. */
  readonly knownLeaderless: boolean
  mayEnter(token: string | null): boolean
}

/** Between a client's process and a member. */
interface Link {
  readonly cut: boolean
  send(deliver: () => void): void
}

/** A request at its member. `resolve` and `reject` answer, if there is still somebody to hear it. */
export interface Arrived {
  readonly method: EtcdMethod
  readonly request: EtcdRequest<EtcdMethod>
  readonly token: string | null
  readonly memberId: string
  resolve(response: EtcdResponse<EtcdMethod>): void
  reject(error: EtcdError): void
}

type Condition = 'up' | 'down' | 'frozen'

/** Server side of one member. */
export class SimulatedMember {
  readonly endpoint: string
  readonly id: string
  condition: Condition = 'up'
  readonly streams = new Set<WatchAtMember>()
  /** Calls whose connection breaks with the member. */
  readonly calls = new Set<(error: EtcdError) => void>()
  /** What it was sent while it was frozen. */
  #unread: (() => void)[] = []

  constructor(endpoint: string, id: string) {
    this.endpoint = endpoint
    this.id = id
  }

  setCondition(condition: Condition): void {
    const wasFrozen = this.condition === 'frozen'
    this.condition = condition
    if (condition === 'down') {
      this.#unread = []
      const broken = new EtcdError(status.UNAVAILABLE, `${this.endpoint}: connection dropped`, true)
      for (const fail of this.calls) fail(broken)
      this.endStreams(broken)
    } else if (condition === 'up' && wasFrozen) {
      const unread = this.#unread
      this.#unread = []
      for (const read of unread) read()
      this.pump()
    }
  }

  /** Now, or when it thaws. */
  read(message: () => void): void {
    if (this.condition === 'frozen') this.#unread.push(message)
    else if (this.condition === 'up') message()
  }

  pump(): void {
    if (this.condition !== 'up') return
    for (const stream of this.streams) stream.pump()
  }

  endStreams(error: EtcdError): void {
    if (this.condition === 'frozen') return
    for (const stream of this.streams) stream.end(error)
  }

  dropStreams(): void {
    for (const stream of this.streams) {
      stream.end(new EtcdError(status.UNAVAILABLE, `${this.endpoint}: connection dropped`, true))
    }
  }
}

/** A watch at its member. */
export class WatchAtMember {
  readonly #cluster: SimulatedMembers
  readonly #link: Link
  readonly #member: SimulatedMember
  readonly #token: string | null
  readonly #handler: EtcdWatchHandler
  readonly #onOver: () => void
  #range: { readonly from: string; readonly end: string } | null = null
  #next = 0
  #over = false
  /** Messages in flight, in order. */
  #sending: (() => void)[] = []

  constructor(
    cluster: SimulatedMembers,
    link: Link,
    member: SimulatedMember,
    token: string | null,
    handler: EtcdWatchHandler,
    onOver: () => void,
  ) {
    this.#cluster = cluster
    this.#link = link
    this.#member = member
    this.#token = token
    this.#handler = handler
    this.#onOver = onOver
  }

  connect(): void {
    if (!this.#over) this.#member.streams.add(this)
  }

  receive(request: EtcdWatchRequest): void {
    if (this.#over || !this.#member.streams.has(this)) return
    if (this.#cluster.knownLeaderless) {
      this.end(refused('UNAVAILABLE', 'no leader'))
      return
    }
    if ('progressRequest' in request) {
      // Not in line with the events: it may come before some that it seems to cover (etcd before 3.4.25 and 3.5.8).
      const response = this.#response({})
      this.#link.send(() => this.#deliver(response))
      return
    }
    const { key, rangeEnd, startRevision } = request.createRequest
    if (!this.#cluster.mayEnter(this.#token)) {
      const cancelReason = 'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token'
      this.#send(this.#response({ created: true, canceled: true, cancelReason }))
      return
    }
    this.#range = { from: latin1(key), end: latin1(rangeEnd) }
    this.#next = Number(startRevision)
    this.#send(this.#response({ created: true }))
    this.pump()
  }

  pump(): void {
    if (this.#range === null || this.#over) return
    const { state } = this.#cluster
    const revisions = state.eventsFrom(this.#next)
    if (revisions === null) {
      this.#send(this.#response({ canceled: true, compactRevision: String(state.compactRevision) }))
      this.#range = null
      return
    }
    const events = revisions.flatMap((entry) => entry.events.filter((event) => this.#isWatched(event)))
    this.#next = Math.max(this.#next, state.revision + 1)
    if (events.length > 0) this.#send(this.#response({ events }))
  }

  /** Tells the client. */
  end(error: EtcdError): void {
    if (this.#over) return
    if (!this.#link.cut) this.#handler.ended(error)
    this.close()
  }

  close(): void {
    this.#over = true
    this.#member.streams.delete(this)
    this.#onOver()
  }

  #isWatched({ key }: StateEvent): boolean {
    const { from, end } = this.#range!
    return key >= from && (end === '\0' || key < end)
  }

  #response(part: Partial<EtcdWatchResponse>): EtcdWatchResponse {
    const header = this.#cluster.state.header(this.#member.id)
    const none = { created: false, canceled: false, compactRevision: '0', cancelReason: '', events: [] }
    return { header, ...none, ...part }
  }

  #send(response: EtcdWatchResponse): void {
    this.#sending.push(() => this.#deliver(response))
    // Each arrival delivers the oldest, so that messages never overtake each other.
    this.#link.send(() => this.#sending.shift()?.())
  }

  #deliver(response: EtcdWatchResponse): void {
    if (!this.#over) this.#handler.response(response)
  }
}
