// A watch that goes on: when its member is silent, gone or without a leader it is taken up at the next one, from the first revision that
// was not told. It says so when that cannot be had any more (compacted, another cluster): then the state must be listed again.
//
// A member that hangs keeps its connection open, so it is asked for a sign of life twice a second. That sign proves
// no revision (before etcd 3.4.25 and 3.5.8 it may overtake events): only events do.

import type { Millis, Timer } from '../../io/clock.ts'
import { EtcdError, type EtcdWatchResponse, type EtcdWatchStream, eventType } from '../../io/etcd.ts'
import type { MetaEvent, ResetCause, Revision, WatchHandler } from '../meta-store.ts'
import type { EtcdConnection } from './connection.ts'
import type { KeySpace } from './key-space.ts'
import { entryOf } from './transactions.ts'
import { verdictOf } from './verdict.ts'

const tickMs = 250
/** A member that says nothing for so long is asked for a sign of life. */
const probeAfterMs = 500
/** A member that says nothing for so long is left: noticed 1.25 to 1.5 s after it froze. */
const silenceMaxMs = 1250
/** Without a sign of life for so long the handler hears that it may be behind. */
const staleAfterMs = 3000
const pauseMinMs = 50
const pauseMaxMs = 1000

export interface EtcdWatchOptions {
  readonly connection: EtcdConnection
  readonly keys: KeySpace
  readonly prefix: string
  /** First revision to tell of. */
  readonly from: Revision
  readonly handler: WatchHandler
  /** Told once, when it has ended: closed or reset. */
  readonly onOver: (watch: EtcdWatch) => void
}

export class EtcdWatch {
  readonly #options: EtcdWatchOptions
  /** First revision that was not told. */
  #next: Revision
  #stream: EtcdWatchStream | null = null
  /** The member has said that it watches. Before that nothing it says counts. */
  #created = false
  #tick: Timer | null = null
  /** Of the stream's member, or when the stream was made. */
  #heardAt: Millis
  /** Of any member. */
  #freshAt: Millis
  /** Index of the member to ask next. */
  #turn = 0
  #pauseMs = pauseMinMs
  #over = false

  constructor(options: EtcdWatchOptions) {
    this.#options = options
    this.#next = Math.max(1, options.from)
    this.#heardAt = options.connection.clock.monotonic()
    this.#freshAt = this.#heardAt
    this.#tickLater()
    void this.#open()
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#tick?.cancel()
    this.#stream?.close()
    this.#options.onOver(this)
  }

  /** Ends it: what it should tell cannot be had. */
  reset(cause: ResetCause): void {
    if (this.#over) return
    this.close()
    this.#options.handler.reset(cause)
  }

  async #open(): Promise<void> {
    const { connection, keys, prefix } = this.#options
    let token: string | null
    try {
      token = await connection.token()
    } catch (error) {
      this.#again(error)
      return
    }
    if (this.#over) return
    const member = connection.members[this.#turn % connection.members.length]!
    this.#heardAt = connection.clock.monotonic()
    const stream = member.watch(
      { token },
      {
        response: (response) => {
          if (this.#stream === stream) this.#take(response, token)
        },
        ended: (error) => {
          if (this.#stream !== stream) return
          if (verdictOf(error) === 'authenticate') connection.forgetToken(token)
          this.#again(error)
        },
      },
    )
    this.#stream = stream
    this.#created = false
    // One revision early: a compaction at `next` itself then counts as lost history. etcd up to 3.4.35 would keep quiet
    // about what was deleted there.
    const startRevision = String(Math.max(1, this.#next - 1))
    stream.send({ createRequest: { ...keys.range(prefix), startRevision, prevKv: true } })
  }

  #take(response: EtcdWatchResponse, token: string | null): void {
    const { connection } = this.#options
    if (!connection.sameCluster(response.header)) {
      this.reset('replaced')
      return
    }
    if (response.canceled) {
      if (Number(response.compactRevision) > 0) this.reset('forgotten')
      else {
        // The usual reason is a token that has run out.
        connection.forgetToken(token)
        this.#again(new Error(`etcd canceled the watch: ${response.cancelReason}`))
      }
      return
    }
    this.#created ||= response.created
    if (!this.#created) return
    this.#heardAt = connection.clock.monotonic()
    this.#freshAt = this.#heardAt
    if (response.created) {
      this.#pauseMs = pauseMinMs
      // A member may lag behind what others have told. The cluster may not: asking it makes the connection notice.
      if (Number(response.header?.revision ?? 0) < this.#next - 1) this.#askCluster()
    }
    if (response.events.length > 0) this.#tell(response)
  }

  #askCluster(): void {
    const { connection, keys, prefix } = this.#options
    connection.read('range', { ...keys.range(prefix), limit: '1' }).catch((error: unknown) => {
      connection.logger.debug({ err: error }, 'the revision of etcd could not be checked')
    })
  }

  #tell({ events }: EtcdWatchResponse): void {
    const batch: MetaEvent[] = []
    let last = 0
    for (const { type, kv, prevKv } of events) {
      const revision = Number(kv?.modRevision ?? 0)
      if (kv === null || revision < this.#next) continue
      last = Math.max(last, revision)
      if (type === eventType.put) batch.push({ kind: 'put', entry: entryOf(this.#options.keys, kv) })
      else if (prevKv !== null) batch.push({ kind: 'delete', entry: entryOf(this.#options.keys, prevKv) })
      else {
        // What was there before the deletion has been compacted.
        this.reset('forgotten')
        return
      }
    }
    if (batch.length === 0) return
    this.#next = last + 1
    this.#options.handler.events(batch, last)
  }

  /** The stream is of no use: another one, elsewhere. */
  #again(reason: unknown): void {
    const { connection, prefix } = this.#options
    this.#stream?.close()
    this.#stream = null
    if (this.#over || connection.closed) return
    const endpoint = connection.members[this.#turn % connection.members.length]!.endpoint
    const fields = { err: reason, endpoint, prefix, next: this.#next }
    if (reason instanceof EtcdError) connection.logger.debug(fields, 'a watch of etcd is taken up elsewhere')
    else connection.logger.warn(fields, 'a watch of etcd is taken up again')
    this.#turn++
    // At once at each member, then not so fast.
    const pauseMs = this.#turn % connection.members.length === 0 ? this.#pauseMs : 0
    if (pauseMs > 0) this.#pauseMs = Math.min(2 * this.#pauseMs, pauseMaxMs)
    void connection.pause(pauseMs).then(async () => {
      if (!this.#over && !connection.closed) await this.#open()
    })
  }

  #tickLater(): void {
    this.#tick = this.#options.connection.clock.setTimer(tickMs, () => {
      this.#checkLife()
      if (!this.#over) this.#tickLater()
    })
  }

  #checkLife(): void {
    const now = this.#options.connection.clock.monotonic()
    if (this.#stream !== null) {
      if (now - this.#heardAt >= silenceMaxMs) this.#again(new EtcdError(0, 'the member is silent', true))
      else if (now - this.#heardAt >= probeAfterMs) this.#stream.send({ progressRequest: {} })
    }
    if (now - this.#freshAt >= staleAfterMs) this.#options.handler.stale(this.#freshAt)
  }
}
