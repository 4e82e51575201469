// The metadata store as a broker sees it whose supervisor keeps it, over a channel of messages. When the channel closes the supervisor is
// gone: nothing can be asked any more, `failed` resolves, and the broker must stop.

import type { Clock, Millis, Timer } from '../../io/clock.ts'
import type { MessageChannel } from '../../io/message-channel.ts'
import { checkWrites } from '../commit-draft.ts'
import { momentOf } from '../lease-age.ts'
import {
  type CasItem,
  type Guard,
  type Lease,
  type MetaEntry,
  type MetaStore,
  type MetaWrite,
  type Revision,
  StoreFull,
  StoreUnavailable,
  type TransactionResult,
  UnknownOutcome,
  type WatchHandler,
} from '../meta-store.ts'
import type { Call, Failure, ToBroker, ToKeeper, WriteMessage } from './messages.ts'
import { RemoteLease } from './remote-lease.ts'

/** How long a call waits for its answer. */
const patienceMsDefault: Millis = 10_000

interface Waiting {
  readonly writes: boolean
  readonly timer: Timer
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

interface Listed {
  readonly entries: readonly MetaEntry[]
  readonly revision: Revision
}

export class RemoteMetaStore implements MetaStore {
  /** Resolves when the channel has closed by itself; never rejects. */
  readonly failed: Promise<Error>
  readonly #channel: MessageChannel
  readonly #clock: Clock
  readonly #patienceMs: Millis
  readonly #waiting = new Map<number, Waiting>()
  readonly #watches = new Map<number, WatchHandler>()
  readonly #leases = new Map<string, RemoteLease>()
  #nextCallId = 1
  #nextWatchId = 1
  #over: Error | null = null

  /** The channel is this store's from now on. */
  constructor(options: { channel: MessageChannel; clock: Clock; patienceMs?: Millis }) {
    this.#channel = options.channel
    this.#clock = options.clock
    this.#patienceMs = options.patienceMs ?? patienceMsDefault
    this.#channel.onMessage = (message) => this.#hear(message as ToBroker)
    this.failed = new Promise((resolve) => {
      this.#channel.onClose = () => {
        if (this.#over !== null) return
        const fault = new StoreUnavailable('the process that keeps the metadata is gone; the broker must stop')
        this.#end(fault)
        for (const lease of this.#leases.values()) lease.lose()
        resolve(fault)
      }
    })
  }

  get(key: string): Promise<{ entry: MetaEntry | null; revision: Revision }> {
    return this.#call({ method: 'get', key })
  }

  list(prefix: string): Promise<Listed> {
    return this.#call({ method: 'list', prefix })
  }

  async transact(guards: readonly [Guard, ...Guard[]], writes: readonly MetaWrite[]): Promise<TransactionResult> {
    checkWrites(writes)
    return this.#call({ method: 'transact', guards, writes: writes.map(writeMessage) }, true)
  }

  async compareAndSwapMany(
    fence: readonly Guard[],
    items: readonly CasItem[],
  ): Promise<readonly TransactionResult[] | 'fenced'> {
    const messages = items.map(({ guards, writes }) => {
      checkWrites(writes)
      return { guards, writes: writes.map(writeMessage) }
    })
    return this.#call({ method: 'compareAndSwapMany', fence, items: messages }, true)
  }

  watch(prefix: string, from: Revision, handler: WatchHandler): { close(): void } {
    this.#mustWork()
    const watchId = this.#nextWatchId++
    this.#watches.set(watchId, handler)
    this.#post({ kind: 'watch', watchId, prefix, from })
    return {
      close: () => {
        if (this.#watches.delete(watchId)) this.#post({ kind: 'unwatch', watchId })
      },
    }
  }

  async lease(ttlMs: Millis): Promise<Lease> {
    const grantedAt = momentOf(this.#clock)
    const id = await this.#call<string>({ method: 'lease', ttlMs })
    const lease = new RemoteLease({
      id,
      ttlMs,
      clock: this.#clock,
      keeper: {
        renew: (leaseId) => this.#call<boolean>({ method: 'renew', leaseId }),
        revoke: (leaseId) => this.#call({ method: 'revoke', leaseId }),
      },
      grantedAt,
      onOver: (over) => this.#leases.delete(over.id),
    })
    this.#leases.set(id, lease)
    if (this.#over !== null) lease.abandon()
    return lease
  }

  /** Leases run out their time, watches end, and writes under way have an unknown outcome. The channel closes. */
  async close(): Promise<void> {
    if (this.#over !== null) return
    for (const watchId of this.#watches.keys()) this.#post({ kind: 'unwatch', watchId })
    this.#end(new Error('the metadata store is closed'))
    for (const lease of this.#leases.values()) lease.abandon()
    this.#channel.close()
  }

  async #call<T>(call: Call, writes = false): Promise<T> {
    this.#mustWork()
    const id = this.#nextCallId++
    const answer = new Promise<unknown>((resolve, reject) => {
      const timer = this.#clock.setTimer(this.#patienceMs, () => {
        this.#waiting.delete(id)
        reject(unanswered(writes, `the metadata store did not answer for ${this.#patienceMs} ms`))
      })
      this.#waiting.set(id, { writes, timer, resolve, reject })
    })
    this.#post({ kind: 'call', id, call })
    return (await answer) as T
  }

  #hear(message: ToBroker): void {
    switch (message.kind) {
      case 'answer':
        this.#settle(message.id)?.resolve(message.value)
        break
      case 'failed':
        this.#settle(message.id)?.reject(errorOf(message.failure, message.message))
        break
      case 'events': {
        const { watchId, batch, revision } = message
        this.#post({ kind: 'heard', watchId, events: batch.length })
        this.#watches.get(watchId)?.events(batch, revision)
        break
      }
      case 'reset': {
        const handler = this.#watches.get(message.watchId)
        this.#watches.delete(message.watchId)
        handler?.reset('forgotten')
        break
      }
      case 'leaseLost':
        this.#leases.get(message.leaseId)?.lose()
        break
    }
  }

  /** Undefined when nobody waits for it any more. */
  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.timer.cancel()
    return waiting
  }

  #end(reason: Error): void {
    this.#over = reason
    this.#watches.clear()
    for (const { writes, timer, reject } of this.#waiting.values()) {
      timer.cancel()
      reject(unanswered(writes, reason.message))
    }
    this.#waiting.clear()
  }

  #mustWork(): void {
    if (this.#over !== null) throw this.#over
  }

  #post(message: ToKeeper): void {
    this.#channel.post(message)
  }
}

function writeMessage(write: MetaWrite): WriteMessage {
  if (write.kind !== 'put') return write
  const { kind, key, value, lease } = write
  return { kind, key, value, leaseId: lease?.id ?? null }
}

function unanswered(writes: boolean, message: string): Error {
  return writes ? new UnknownOutcome(message) : new StoreUnavailable(message)
}

function errorOf(failure: Failure, message: string): Error {
  if (failure === 'unknown') return new UnknownOutcome(message)
  return failure === 'full' ? new StoreFull(message) : new Error(message)
}
