// The two places where a cleaning runs: a thread of its own, for logs on the machine's disk, and this one, for logs in memory and in tests.

import type { Clock, Millis, Timer } from '../../io/clock.ts'
import type { Disk } from '../../io/disk.ts'
import { startWorker, type WorkerThread } from '../../io/worker.ts'
import { invariant } from '../../lib/invariant.ts'
import { cleanLog } from './clean-log.ts'
import {
  type CleanedSegment,
  CleaningAborted,
  type CleaningEngine,
  type CleaningJob,
  type CleaningResult,
} from './cleaning-job.ts'
import type { FromCleaner, ToCleaner } from './cleaning-messages.ts'

/** Others wait no longer for a cleaning in their thread, save for the work on one batch. */
const sliceMs = 4

export function cleaningInProcess(disk: Disk, clock: Clock): CleaningEngine {
  return {
    clean: (job, swap, signal) => cleanLog(job, { disk, clock, sliceMs, signal, swap }),
    stop: async () => {},
  }
}

/** A thread without work ends after this long: it takes some ten megabytes. */
const idleMs: Millis = 30_000

/** The module as it lies beside this one: source in development, JavaScript in the package. */
const cleanerThread = new URL(
  import.meta.url.endsWith('.ts') ? './cleaner-thread.ts' : './cleaner-thread.js',
  import.meta.url,
)

interface Running {
  readonly swap: (cleaned: CleanedSegment) => Promise<void>
  readonly resolve: (result: CleaningResult) => void
  /** What it fails with, once the thread has ended. */
  readonly reject: (error: Error) => void
}

export class CleaningThread implements CleaningEngine {
  readonly #clock: Clock
  readonly #module: URL
  #thread: WorkerThread | null = null
  #idleTimer: Timer | null = null
  #running: Running | null = null
  /** Why the thread is being ended. */
  #endedBy: Error | null = null

  constructor(clock: Clock, module: URL = cleanerThread) {
    this.#clock = clock
    this.#module = module
  }

  async clean(
    job: CleaningJob,
    swap: (cleaned: CleanedSegment) => Promise<void>,
    signal: AbortSignal,
  ): Promise<CleaningResult> {
    invariant(this.#running === null, 'one cleaning at a time')
    if (signal.aborted) throw new CleaningAborted('the cleaning was aborted')
    this.#idleTimer?.cancel()
    const abort = () => this.#end(new CleaningAborted('the cleaning was aborted'))
    signal.addEventListener('abort', abort)
    try {
      return await new Promise<CleaningResult>((resolve, reject) => {
        this.#running = { swap, resolve, reject }
        this.#endedBy = null
        this.#thread ??= startWorker(this.#module, 'log cleaner', {
          message: (message) => this.#hear(message as FromCleaner),
          ended: (error) => this.#ended(error),
        })
        this.#say({ kind: 'clean', job })
      })
    } finally {
      signal.removeEventListener('abort', abort)
      this.#running = null
      if (this.#thread !== null) this.#idleTimer = this.#clock.setTimer(idleMs, () => void this.stop())
    }
  }

  async stop(): Promise<void> {
    this.#idleTimer?.cancel()
    await this.#thread?.end()
  }

  #say(message: ToCleaner): void {
    this.#thread?.post(message)
  }

  #hear(message: FromCleaner): void {
    const running = this.#running
    if (running === null || this.#endedBy !== null) return
    if (message.kind === 'done') running.resolve(message.result)
    else if (message.kind === 'failed') running.reject(message.error)
    else {
      running.swap(message.segment).then(
        () => this.#say({ kind: 'swapped' }),
        (error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))),
      )
    }
  }

  #end(reason: Error): void {
    this.#endedBy ??= reason
    void this.#thread?.end()
  }

  #ended(error: Error | null): void {
    this.#thread = null
    this.#running?.reject(this.#endedBy ?? error ?? new Error('the thread that compacts logs has ended'))
  }
}
