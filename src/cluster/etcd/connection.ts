// Calls to etcd as a whole: each attempt has its own short deadline and then the next member is asked (etcd itself would answer
// only after 7 s). What may be repeated is, for as long as patience lasts; a write whose answer was lost is not: its outcome is
// unknown, and whoever made it must look.
//
// It also notices when etcd is not the one it was: another cluster id, or a revision behind one that was seen before. Then a
// backup was restored or the addresses lead elsewhere, and nothing that was remembered holds.

import type { Clock, Millis, Timer } from '../../io/clock.ts'
import {
  type EtcdDoor,
  EtcdError,
  type EtcdHeader,
  type EtcdMember,
  type EtcdMethod,
  type EtcdRequest,
  type EtcdResponse,
  status,
} from '../../io/etcd.ts'
import { invariant } from '../../lib/invariant.ts'
import type { Logger } from '../../lib/logger.ts'
import { StoreFull, StoreUnavailable, UnknownOutcome } from '../meta-store.ts'
import { AccessToken, type EtcdUser } from './access-token.ts'
import { isFull, verdictOf } from './verdict.ts'

export interface EtcdConnectionOptions {
  readonly door: EtcdDoor
  /** At least one; the first is asked first. */
  readonly endpoints: readonly string[]
  /** Where etcd asks for users and passwords. */
  readonly user?: EtcdUser
  readonly clock: Clock
  readonly logger: Logger
  /** One member's time to answer. */
  readonly attemptTimeoutMs: Millis
  /** How long a call goes from member to member before it fails; longer than etcd takes to elect a leader. */
  readonly patienceMs: Millis
}

const pauseMinMs = 50
const pauseMaxMs = 500

export class EtcdConnection {
  readonly clock: Clock
  readonly logger: Logger
  readonly members: readonly EtcdMember[]
  /** Told when nothing that was remembered of etcd holds any more. */
  onReplaced: () => void = () => {}
  readonly #attemptTimeoutMs: Millis
  readonly #patienceMs: Millis
  readonly #token: AccessToken
  readonly #underWay = new Set<AbortController>()
  readonly #pauses = new Map<Timer, () => void>()
  /** Index of the member to ask. */
  #preferred = 0
  #clusterId: string | null = null
  #revision = 0
  #closed = false

  constructor(options: EtcdConnectionOptions) {
    invariant(options.endpoints.length > 0, 'no endpoint of etcd is given')
    this.clock = options.clock
    this.logger = options.logger
    this.members = options.endpoints.map((endpoint) => options.door.member(endpoint))
    this.#attemptTimeoutMs = options.attemptTimeoutMs
    this.#patienceMs = options.patienceMs
    this.#token = new AccessToken(options.user ?? null, (user) =>
      this.#repeat('authenticate', user, true, async () => null),
    )
  }

  get closed(): boolean {
    return this.#closed
  }

  /** A call that does no harm when it is made twice. Rejects with `StoreUnavailable`, `StoreFull`, or etcd's refusal. */
  async read<M extends EtcdMethod>(method: M, request: EtcdRequest<M>): Promise<EtcdResponse<M>> {
    return this.#repeat(method, request, true, () => this.#token.get())
  }

  /** A call that is made only once unless it surely did nothing. Rejects as `read`, or with `UnknownOutcome`. */
  async write<M extends EtcdMethod>(method: M, request: EtcdRequest<M>): Promise<EtcdResponse<M>> {
    return this.#repeat(method, request, false, () => this.#token.get())
  }

  /** One attempt, at one member. Rejects with an `EtcdError`. */
  async attempt<M extends EtcdMethod>(
    member: EtcdMember,
    method: M,
    request: EtcdRequest<M>,
    timeoutMs: Millis,
    token: string | null,
  ): Promise<EtcdResponse<M>> {
    this.#mustBeOpen()
    const abort = new AbortController()
    const timer = this.clock.setTimer(timeoutMs, () => abort.abort())
    this.#underWay.add(abort)
    try {
      return await member.call(method, request, { token, signal: abort.signal })
    } finally {
      timer.cancel()
      this.#underWay.delete(abort)
    }
  }

  /** For calls and watches made elsewhere; null where no user is set. Rejects as `read`. */
  token(): Promise<string | null> {
    return this.#token.get()
  }

  forgetToken(token: string | null): void {
    this.#token.forget(token)
  }

  /** Whether the header is of the cluster that was spoken to before. When it is not, everyone has been told. */
  sameCluster(header: EtcdHeader | null): boolean {
    if (header === null || header.clusterId === '0') return true
    this.#clusterId ??= header.clusterId
    if (header.clusterId === this.#clusterId) return true
    this.#replaced(header, 'another cluster answers')
    return false
  }

  /** Resolves after `ms`, or when the connection is closed. */
  pause(ms: Millis): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(ms, () => {
        this.#pauses.delete(timer)
        resolve()
      })
      this.#pauses.set(timer, resolve)
    })
  }

  close(): void {
    this.#closed = true
    for (const abort of this.#underWay) abort.abort()
    for (const [timer, resolve] of this.#pauses) {
      timer.cancel()
      resolve()
    }
    this.#pauses.clear()
    for (const member of this.members) member.close()
  }

  async #repeat<M extends EtcdMethod>(
    method: M,
    request: EtcdRequest<M>,
    repeatable: boolean,
    tokenOf: () => Promise<string | null>,
  ): Promise<EtcdResponse<M>> {
    const until = this.clock.monotonic() + this.#patienceMs
    let tokensRefused = 0
    let pauseMs = pauseMinMs
    for (let failures = 1; ; failures++) {
      this.#mustBeOpen()
      const token = await tokenOf()
      const member = this.members[this.#preferred]!
      const seen = this.#revision
      let fault: EtcdError
      try {
        const response = await this.attempt(member, method, request, this.#attemptTimeoutMs, token)
        if (this.#sameState(response.header, seen)) return response
        fault = new EtcdError(status.UNAVAILABLE, `${member.endpoint}: etcd is not the one it was`, true)
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error
        fault = error
      }
      const verdict = verdictOf(fault)
      if (verdict === 'refused') throw isFull(fault) ? new StoreFull(fault.message, { cause: fault }) : fault
      if (verdict === 'unknown' && !repeatable) {
        this.#avoid(member)
        throw new UnknownOutcome(`no answer to a write: ${fault.message}`, { cause: fault })
      }
      this.#mustBeOpen()
      if (verdict === 'authenticate') {
        if (!this.#token.forget(token) || ++tokensRefused > 2) throw fault
        continue
      }
      this.#avoid(member)
      if (this.clock.monotonic() >= until) {
        throw new StoreUnavailable(`etcd cannot be asked: ${fault.message}`, { cause: fault })
      }
      if (failures % this.members.length > 0) continue
      await this.pause(pauseMs)
      pauseMs = Math.min(2 * pauseMs, pauseMaxMs)
    }
  }

  /** `seen`: the highest revision known when the call was made; every answer to it must be at least that far. */
  #sameState(header: EtcdHeader | null, seen: number): boolean {
    if (!this.sameCluster(header)) return false
    if (header === null || header.revision === '0') return true
    const revision = Number(header.revision)
    if (revision < seen) {
      // Told once: calls that were under way at the same time find `#revision` lowered already.
      if (this.#revision >= seen) this.#replaced(header, 'its revision went back')
      return false
    }
    this.#revision = Math.max(this.#revision, revision)
    return true
  }

  #replaced(header: EtcdHeader, what: string): void {
    this.logger.error(
      {
        clusterId: header.clusterId,
        revision: header.revision,
        knownClusterId: this.#clusterId,
        known: this.#revision,
      },
      `etcd is not the one it was: ${what}; everything is read anew`,
    )
    this.#clusterId = header.clusterId
    this.#revision = Number(header.revision)
    this.onReplaced()
  }

  #avoid(member: EtcdMember): void {
    if (this.members[this.#preferred] === member) this.#preferred = (this.#preferred + 1) % this.members.length
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Error('the metadata store is closed')
  }
}
