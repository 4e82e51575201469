// etcd, simulated: members that answer on the clock of the test and by its seed, and fail when told to. The state is one (the members
// agree), what differs is who can be asked: a dead member refuses, a frozen one keeps what it is sent until it thaws, without a
// leader a request waits, and may be applied once there is one again, long after its sender gave up.

import type { Clock, Millis, Timer } from './clock.ts'
import { type Arrived, SimulatedMember, type SimulatedMembers, WatchAtMember } from './etcd-member.sim.ts'
import { EtcdState, refused } from './etcd-state.sim.ts'
import {
  type EtcdCallOptions,
  type EtcdDoor,
  EtcdError,
  type EtcdMember,
  type EtcdMethod,
  type EtcdRequest,
  type EtcdResponse,
  type EtcdWatchHandler,
  type EtcdWatchStream,
  status,
} from './etcd.ts'
import type { SeededRandom } from './random.sim.ts'

/** What happens to one call: nothing is done and nothing answered; done, but not answered; done later, and not answered. */
export type CallFault = 'requestLost' | 'answerLost' | { readonly appliedAfterMs: Millis }

export interface ObservedCall {
  readonly endpoint: string
  readonly method: EtcdMethod
}

export interface SimulatedEtcdOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  /** Default: three members. */
  readonly endpoints?: readonly string[]
  /** One way, of each message: at random between the two. 0: no time passes. */
  readonly latencyMs?: { readonly min: Millis; readonly max: Millis }
  /** The only one who may do anything. Without it everyone may. */
  readonly user?: { readonly name: string; readonly password: string }
}

/** How long members take to see that their leader is gone, and at most to elect another (as etcd's defaults). */
const leaderMissedAfterMs = 1000
const electionMaxMs = 1000
/** Watches end when their member has had no leader for so long. */
const watchWithoutLeaderMs = 3000

export class SimulatedEtcd implements SimulatedMembers {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly endpoints: readonly string[]
  state: EtcdState
  /** Asked for each call that arrives at a member; a fault is done to it. */
  onCall: (call: ObservedCall) => CallFault | null = () => null
  readonly #members: readonly SimulatedMember[]
  readonly #latency: { readonly min: Millis; readonly max: Millis }
  readonly #user: { readonly name: string; readonly password: string } | null
  readonly #tokens = new Set<string>()
  readonly #leaseTimers = new Map<string, Timer>()
  /** Requests that no leader took. */
  #homeless: Arrived[] = []
  #leader: SimulatedMember | null
  #leaderlessSince: Millis = 0
  #leaseCount = 0

  constructor(options: SimulatedEtcdOptions) {
    this.clock = options.clock
    this.random = options.random
    this.endpoints = options.endpoints ?? ['etcd-1:2379', 'etcd-2:2379', 'etcd-3:2379']
    this.#latency = options.latencyMs ?? { min: 0, max: 0 }
    this.#user = options.user ?? null
    this.#members = this.endpoints.map((endpoint, i) => new SimulatedMember(endpoint, String(i + 1)))
    this.#leader = this.#members[0]!
    this.state = new EtcdState('1001')
  }

  /** Of one process; each of them can be cut off alone. */
  door(): SimulatedEtcdDoor {
    return new SimulatedEtcdDoor(this)
  }

  /** Its connections break; what it was asked and had not answered is lost. */
  kill(endpoint: string): void {
    this.member(endpoint).setCondition('down')
    this.#membersChanged()
  }

  /** After `kill`. */
  start(endpoint: string): void {
    this.member(endpoint).setCondition('up')
    this.#membersChanged()
  }

  freeze(endpoint: string): void {
    this.member(endpoint).setCondition('frozen')
    this.#membersChanged()
  }

  /** After `freeze`: it does what it was sent meanwhile. */
  thaw(endpoint: string): void {
    this.member(endpoint).setCondition('up')
    this.#membersChanged()
  }

  get leaderEndpoint(): string | null {
    return this.#leader?.endpoint ?? null
  }

  /** Forgets revisions before this one. */
  compact(revision: number = this.state.revision): void {
    this.state.compact(revision)
    this.committed()
  }

  /** Tokens given so far are good no more, as after a restart of the members. */
  forgetTokens(): void {
    this.#tokens.clear()
  }

  /** Another etcd is found at the same addresses. */
  replace(state: EtcdState): void {
    for (const timer of this.#leaseTimers.values()) timer.cancel()
    this.#leaseTimers.clear()
    this.state = state
    for (const member of this.#members) member.dropStreams()
  }

  member(endpoint: string): SimulatedMember {
    const member = this.#members.find((candidate) => candidate.endpoint === endpoint)
    if (member === undefined) throw new Error(`there is no member at ${endpoint}`)
    return member
  }

  /** Runs `deliver` when a message sent now arrives. */
  send(deliver: () => void): void {
    const { min, max } = this.#latency
    const delayMs = min + (this.random.below(1001) / 1000) * (max - min)
    if (delayMs === 0) this.clock.defer(deliver)
    else this.clock.setTimer(delayMs, deliver)
  }

  /** Whether members know that nobody leads. */
  get knownLeaderless(): boolean {
    return this.#leader === null && this.clock.monotonic() - this.#leaderlessSince >= leaderMissedAfterMs
  }

  /** A request at a running member: done now, or once there is a leader, or never. */
  take(arrived: Arrived): void {
    if (arrived.method !== 'leaseKeepAlive' && arrived.method !== 'authenticate' && !this.mayEnter(arrived.token)) {
      arrived.reject(this.#unknownToken(arrived.token))
    } else if (this.#leader !== null) this.#apply(arrived)
    else if (this.knownLeaderless) arrived.reject(refused('UNAVAILABLE', 'no leader'))
    else this.#homeless.push(arrived)
  }

  mayEnter(token: string | null): boolean {
    return this.#user === null || (token !== null && this.#tokens.has(token))
  }

  /** Watches are told of what is new. */
  committed(): void {
    for (const member of this.#members) member.pump()
  }

  #unknownToken(token: string | null): EtcdError {
    return token === null
      ? refused('INVALID_ARGUMENT', 'user name is empty')
      : refused('UNAUTHENTICATED', 'invalid auth token')
  }

  #apply(arrived: Arrived): void {
    const { memberId } = arrived
    try {
      arrived.resolve(this.#answer(arrived.method, arrived.request, memberId))
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error
      arrived.reject(error)
    }
    this.committed()
  }

  #answer(method: EtcdMethod, request: EtcdRequest<EtcdMethod>, memberId: string): EtcdResponse<EtcdMethod> {
    const { state } = this
    switch (method) {
      case 'range':
        return state.range(request as EtcdRequest<'range'>, state.header(memberId))
      case 'txn':
        return state.txn(request as EtcdRequest<'txn'>, memberId)
      case 'leaseGrant': {
        const id = String(7_000_000_000_000_000_000n + BigInt(++this.#leaseCount))
        const ttl = state.grant(id, Number((request as EtcdRequest<'leaseGrant'>).ttl))
        this.#extend(id, ttl)
        return { header: state.header(memberId), id, ttl: String(ttl) }
      }
      case 'leaseKeepAlive': {
        const { id } = request as EtcdRequest<'leaseKeepAlive'>
        const ttl = state.ttlOf(id) ?? 0
        if (ttl > 0) this.#extend(id, ttl)
        return { header: state.header(memberId), id, ttl: String(ttl) }
      }
      case 'leaseRevoke':
        if (!state.revoke((request as EtcdRequest<'leaseRevoke'>).id)) {
          throw refused('NOT_FOUND', 'requested lease not found')
        }
        return { header: state.header(memberId) }
      case 'authenticate': {
        const { name, password } = request as EtcdRequest<'authenticate'>
        if (this.#user === null) throw refused('FAILED_PRECONDITION', 'authentication is not enabled')
        if (name !== this.#user.name || password !== this.#user.password) {
          throw refused('INVALID_ARGUMENT', 'authentication failed, invalid user ID or password')
        }
        const token = this.random.uuid()
        this.#tokens.add(token)
        return { header: state.header(memberId), token }
      }
    }
  }

  #extend(id: string, ttlSeconds: number): void {
    this.#leaseTimers.get(id)?.cancel()
    const timer = this.clock.setTimer(ttlSeconds * 1000, () => {
      // Without a leader nothing runs out; the next one begins to count anew.
      if (this.#leader === null) return
      this.#leaseTimers.delete(id)
      this.state.revoke(id)
      this.committed()
    })
    this.#leaseTimers.set(id, timer)
  }

  #membersChanged(): void {
    if (this.#leader !== null && (this.#leader.condition !== 'up' || !this.#hasQuorum())) {
      this.#leader = null
      this.#leaderlessSince = this.clock.monotonic()
      const since = this.#leaderlessSince
      this.clock.setTimer(watchWithoutLeaderMs, () => {
        if (this.#leader !== null || this.#leaderlessSince !== since) return
        for (const member of this.#members) member.endStreams(refused('UNAVAILABLE', 'no leader'))
      })
    }
    if (this.#leader === null && this.#hasQuorum()) this.#electLater()
  }

  #hasQuorum(): boolean {
    return 2 * this.#members.filter(({ condition }) => condition === 'up').length > this.#members.length
  }

  #electLater(): void {
    this.clock.setTimer(leaderMissedAfterMs + this.random.below(electionMaxMs), () => {
      if (this.#leader !== null || !this.#hasQuorum()) return
      this.#leader = this.random.pick(this.#members.filter(({ condition }) => condition === 'up'))
      for (const id of this.state.leaseIds) this.#extend(id, this.state.ttlOf(id)!)
      const homeless = this.#homeless
      this.#homeless = []
      // The old leader had handed some of them on. Nobody knows which.
      for (const arrived of homeless) if (this.random.chance(0.5)) this.#apply(arrived)
    })
  }
}

/** A process's way to the members. */
export class SimulatedEtcdDoor implements EtcdDoor {
  readonly etcd: SimulatedEtcd
  #cut = false
  #held: (() => void)[] = []

  constructor(etcd: SimulatedEtcd) {
    this.etcd = etcd
  }

  /**
   * While it is cut nothing arrives, in either direction, and nobody is told. Later everything does, as TCP sends again what was not
   * confirmed: late for whoever gave up meanwhile.
   */
  get cut(): boolean {
    return this.#cut
  }

  set cut(cut: boolean) {
    this.#cut = cut
    if (cut) return
    const held = this.#held
    this.#held = []
    for (const deliver of held) deliver()
  }

  /** Runs `deliver` when a message sent now arrives. */
  send(deliver: () => void): void {
    this.etcd.send(() => {
      if (this.#cut) this.#held.push(deliver)
      else deliver()
    })
  }

  member(endpoint: string): EtcdMember {
    return new ClientOfMember(this, this.etcd.member(endpoint))
  }
}

class ClientOfMember implements EtcdMember {
  readonly endpoint: string
  readonly #door: SimulatedEtcdDoor
  readonly #member: SimulatedMember
  readonly #underWay = new Set<(error: EtcdError) => void>()
  readonly #streams = new Set<WatchAtMember>()

  constructor(door: SimulatedEtcdDoor, member: SimulatedMember) {
    this.#door = door
    this.#member = member
    this.endpoint = member.endpoint
  }

  call<M extends EtcdMethod>(method: M, request: EtcdRequest<M>, options: EtcdCallOptions): Promise<EtcdResponse<M>> {
    const member = this.#member
    return new Promise((resolve, reject) => {
      const fail = (error: EtcdError): void => {
        this.#underWay.delete(fail)
        member.calls.delete(drop)
        reject(error)
      }
      const drop = (error: EtcdError): void => {
        if (!this.#door.cut) fail(error)
      }
      this.#underWay.add(fail)
      options.signal?.addEventListener('abort', () => fail(cancelled(this.endpoint)), { once: true })
      if (options.signal?.aborted) fail(cancelled(this.endpoint))
      const answer = (settle: () => void): void => {
        this.#door.send(() => {
          this.#underWay.delete(fail)
          member.calls.delete(drop)
          settle()
        })
      }
      const arrived: Arrived = {
        method,
        request,
        token: options.token,
        memberId: member.id,
        resolve: (response) => answer(() => resolve(response)),
        reject: (error) => answer(() => reject(error)),
      }
      this.#door.send(() => {
        if (member.condition === 'down') {
          fail(new EtcdError(status.UNAVAILABLE, `${this.endpoint}: connection refused`, false))
          return
        }
        member.calls.add(drop)
        member.read(() => this.#arrive(arrived))
      })
    })
  }

  watch({ token }: { readonly token: string | null }, handler: EtcdWatchHandler): EtcdWatchStream {
    const stream = new WatchAtMember(this.#door.etcd, this.#door, this.#member, token, handler, () =>
      this.#streams.delete(stream),
    )
    this.#streams.add(stream)
    // Messages never overtake each other: each arrival brings the oldest.
    const messages: (() => void)[] = []
    const send = (message: () => void): void => {
      messages.push(message)
      this.#door.send(() => messages.shift()?.())
    }
    send(() => {
      if (this.#member.condition === 'down') {
        stream.end(new EtcdError(status.UNAVAILABLE, `${this.endpoint}: connection refused`, false))
      } else stream.connect()
    })
    return {
      send: (request) => send(() => this.#member.read(() => stream.receive(request))),
      close: () => stream.close(),
    }
  }

  close(): void {
    for (const fail of this.#underWay) fail(cancelled(this.endpoint))
    for (const stream of this.#streams) stream.close()
  }

  #arrive(arrived: Arrived): void {
    const { etcd } = this.#door
    const fault = etcd.onCall({ endpoint: this.endpoint, method: arrived.method })
    if (fault === null) etcd.take(arrived)
    else if (fault !== 'requestLost') {
      const unanswered = { ...arrived, resolve: () => {}, reject: () => {} }
      if (fault === 'answerLost') etcd.take(unanswered)
      else etcd.clock.setTimer(fault.appliedAfterMs, () => etcd.take(unanswered))
    }
  }
}

function cancelled(endpoint: string): EtcdError {
  return new EtcdError(status.CANCELLED, `${endpoint}: given up`, true)
}
