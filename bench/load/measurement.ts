// What a load counts while it runs, the window in which it counts for the result, and the one place where a load can fail: whatever goes
// wrong in a callback ends the wait that is under way, and what was opened is closed.

import { setTimeout as sleep } from 'node:timers/promises'
import type { LatencyHistogram } from './latency-histogram.ts'
import type { LoadEvent, LoadResult, Window } from './load.ts'

/** How long after the window what was due within it may come, and how often that is looked at. */
const overdueMsMax = 60_000
const overdueRetryMs = 5

type Amounts = LoadResult['produced']

export class Counts {
  records = 0
  bytes = 0
  requests = 0
  #awaited = Infinity
  #onAwaited: () => void = () => {}

  add(records: number, bytes: number, requests: number): void {
    this.records += records
    this.bytes += bytes
    this.requests += requests
    if (this.bytes >= this.#awaited) this.#onAwaited()
  }

  /** Resolves when there are `bytes` more. One at a time can wait. */
  more(bytes: number): Promise<void> {
    this.#awaited = this.bytes + bytes
    return new Promise((resolve) => (this.#onAwaited = resolve))
  }

  now(): Amounts {
    return { records: this.records, bytes: this.bytes, requests: this.requests }
  }
}

/** Where the counters, the clock and the processor time stood. */
interface Mark {
  readonly atMs: number
  readonly cpuMicros: number
  readonly produced: Amounts
  readonly consumed: Amounts
}

/** Something a load has open: a connection, a thread. */
export interface Closable {
  close(): void
}

export class Measurement {
  /** Since the load began, warming up included. */
  readonly produced = new Counts()
  readonly consumed = new Counts()
  readonly #emit: (event: LoadEvent) => void
  readonly #failure = Promise.withResolvers<never>()
  readonly #open: Closable[] = []
  #begun: Mark | null = null
  #ended: Mark | null = null

  constructor(emit: (event: LoadEvent) => void) {
    this.#emit = emit
    this.#failure.promise.catch(() => undefined)
  }

  /** The load cannot go on: whoever waits `untilFailed` learns why. Only the first reason counts. */
  readonly fail = (error: Error): void => {
    this.#failure.reject(error)
  }

  /** Takes over what a load has opened, to be closed when it ends, however it does. */
  owns<T extends Closable>(opened: T): T {
    this.#open.push(opened)
    return opened
  }

  close(): void {
    for (const opened of this.#open.splice(0)) opened.close()
  }

  /** As `work`, but rejects as soon as the load fails. */
  async untilFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failure.promise])
  }

  begin(): void {
    this.#begun = this.#mark()
    this.#emit({ event: 'begin' })
  }

  end(): void {
    this.#ended = this.#mark()
    this.#emit({ event: 'end' })
  }

  /** Lets the load run that is under way, and measures its window. */
  async window({ warmSeconds, warmBytesMax = Infinity, seconds, bytesMax = Infinity }: Window): Promise<void> {
    await this.#pass(warmSeconds, warmBytesMax)
    this.begin()
    await this.#pass(seconds, bytesMax)
    this.end()
  }

  async #pass(seconds: number, bytesMax: number): Promise<void> {
    const timedOut = new AbortController()
    const time = sleep(seconds * 1000, undefined, { signal: timedOut.signal }).catch(() => undefined)
    await this.untilFailed(Promise.race([time, this.produced.more(bytesMax)])).finally(() => timedOut.abort())
  }

  /** Of `performance.now()`; infinite as long as the window has not ended. */
  get endMs(): number {
    return this.#ended?.atMs ?? Infinity
  }

  windowHas(atMs: number): boolean {
    return this.#begun !== null && atMs >= this.#begun.atMs && atMs < this.endMs
  }

  /** After the window: waits until all that was due within it is done. Fails when it is not within a minute. */
  async untilDone(what: string, isDone: () => boolean): Promise<void> {
    const giveUpAtMs = performance.now() + overdueMsMax
    while (!isDone()) {
      if (performance.now() > giveUpAtMs) throw new Error(`${what} ${overdueMsMax / 1000} s after the window`)
      await this.untilFailed(sleep(overdueRetryMs))
    }
  }

  /** Of the window; of nothing when there was none. `lateness`: of the load generator. */
  result(latencies?: LatencyHistogram, lateness?: LatencyHistogram): LoadResult {
    const begun = this.#begun ?? this.#mark()
    const ended = this.#ended ?? begun
    return {
      seconds: (ended.atMs - begun.atMs) / 1000,
      produced: difference(begun.produced, ended.produced),
      consumed: difference(begun.consumed, ended.consumed),
      ...(latencies === undefined ? {} : { latency: latencies.summary() }),
      ...(lateness === undefined ? {} : { lateness: lateness.summary() }),
      cpuSeconds: (ended.cpuMicros - begun.cpuMicros) / 1_000_000,
    }
  }

  #mark(): Mark {
    const { user, system } = process.cpuUsage()
    return {
      atMs: performance.now(),
      cpuMicros: user + system,
      produced: this.produced.now(),
      consumed: this.consumed.now(),
    }
  }
}

function difference(begun: Amounts, ended: Amounts): Amounts {
  return {
    records: ended.records - begun.records,
    bytes: ended.bytes - begun.bytes,
    requests: ended.requests - begun.requests,
  }
}
