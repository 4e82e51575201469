// One state machine over one internal partition, from election to resignation: the only place where a coordinator meets its log.
//
//   loading --replayed--> active --committed() rejects, log offline--> stopped
//      ^                    |
//      +-- append refused, -+   the machine has decided on what the log will never hold: drop it, rebuild it from the log
//          dropped for want of room, too large for any batch, or a bug
//
// Events run one at a time, to their end. What they append, and the replies that wait for it, go through `CommitQueue`.

import type { Clock } from '../io/clock.ts'
import { invariant } from '../lib/invariant.ts'
import type { Logger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { Codec } from '../records/codec.ts'
import type { AppendRefusal } from '../storage/partition-log.ts'
import { codeOfAppendRefusal } from './append-refusal.ts'
import { CommitQueue } from './commit-queue.ts'
import { AppendsDropped, type CoordinatorPartition } from './coordinator-partition.ts'
import type { CoordinatorTimers, MachineTimers } from './coordinator-timers.ts'
import { type CoordinatorMachine, type Effect, type EntryCodec, noTransaction, type ReplyTo } from './effect.ts'
import { replayLog } from './replay-log.ts'
import { WaitingRequests } from './waiting-requests.ts'

export interface RuntimeSettings {
  /** How long a reply waits for its records to be committed (offsets.commit.timeout.ms). */
  readonly commitTimeoutMs: number
  /** Of what is written (offsets.topic.compression.codec). */
  readonly compression: Codec
  /** Bound on one read while loading (offsets.load.buffer.size). */
  readonly loadReadBytesMax: number
}

export interface MachineOptions<Event, Entry, Note = never> {
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: RuntimeSettings
  readonly codec: EntryCodec<Entry>
  readonly createMachine: () => CoordinatorMachine<Event, Entry, Note>
  readonly onNote?: (note: Note) => void
}

export interface PartitionOptions<Event, Entry, Note = never> extends MachineOptions<Event, Entry, Note> {
  /** Shared by all partitions of the coordinator. */
  readonly timers: CoordinatorTimers<Event>
}

interface DraftedReply {
  readonly replyTo: ReplyTo<unknown>
  readonly response: unknown
}

export class CoordinatedPartition<Event, Entry, Note = never> {
  /** Resolves when the first load has ended, well or not. */
  readonly loaded: Promise<void>
  readonly #partition: CoordinatorPartition
  readonly #options: PartitionOptions<Event, Entry, Note>
  readonly #logger: Logger
  readonly #name: string
  readonly #waiting = new WaitingRequests()
  readonly #timers: MachineTimers<Event>
  /** Null unless active. */
  #machine: CoordinatorMachine<Event, Entry, Note> | null = null
  /** Each machine has its own, so that a commit that the one before was waiting for holds nobody up. */
  #queue: CommitQueue<DraftedReply>
  #stopped = false
  /** As many as topics deleted and connections closed during one load. */
  readonly #toldWhileLoading: Event[] = []

  /** `name`: for log lines, such as `__consumer_offsets-7`. */
  constructor(name: string, partition: CoordinatorPartition, options: PartitionOptions<Event, Entry, Note>) {
    this.#name = name
    this.#partition = partition
    this.#options = options
    this.#logger = options.logger
    this.#timers = options.timers.forMachine((event) => this.#run(event))
    this.#queue = this.#newQueue()
    this.loaded = this.#load()
  }

  get state(): 'loading' | 'active' | 'stopped' {
    if (this.#stopped) return 'stopped'
    return this.#machine === null ? 'loading' : 'active'
  }

  /** Hands the machine an event that wants an answer. Refused with COORDINATOR_LOAD_IN_PROGRESS or NOT_COORDINATOR unless active. */
  submit<Response>(
    event: (replyTo: ReplyTo<Response>) => Event,
    refusal: (code: ErrorCode) => Response,
    signal?: AbortSignal,
  ): Promise<Response> {
    if (this.#stopped) return Promise.resolve(refusal(ErrorCode.NOT_COORDINATOR))
    if (this.#machine === null) return Promise.resolve(refusal(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS))
    const { replyTo, answer } = this.#waiting.add(refusal, signal)
    this.#run(event(replyTo), replyTo)
    return answer
  }

  /** Hands the machine an event nobody waits for. While loading it is kept until the machine is there. */
  tell(event: Event): void {
    if (this.#stopped) return
    if (this.#machine === null) this.#toldWhileLoading.push(event)
    else this.#run(event)
  }

  /** For good: answers whoever waits with `code`, and every later request with NOT_COORDINATOR. */
  stop(code: ErrorCode): void {
    this.#stopped = true
    this.#toldWhileLoading.length = 0
    this.#dropMachine(code)
  }

  async #load(): Promise<void> {
    const { codec, clock, settings, createMachine } = this.#options
    const machine = createMachine()
    const started = clock.monotonic()
    try {
      const readBytesMax = settings.loadReadBytesMax
      const wanted = () => !this.#stopped
      const end = await replayLog({ partition: this.#partition, machine, codec, clock, readBytesMax, wanted })
      if (this.#stopped) return
      this.#machine = machine
      if (this.#partition.highWatermark < end) this.#queue.holdUntil(end)
      for (const effect of machine.loaded(clock.now())) {
        invariant(this.#do(effect), 'what a machine appends when it is loaded goes into a batch')
      }
      for (const event of this.#toldWhileLoading.splice(0)) this.tell(event)
      this.#logger.debug({ partition: this.#name, end, ms: clock.monotonic() - started }, 'coordinator loaded')
    } catch (error) {
      if (this.#stopped) return
      this.#logger.error(
        { partition: this.#name, err: error },
        'cannot load the coordinator: its partition is not served',
      )
      this.stop(ErrorCode.NOT_COORDINATOR)
    }
  }

  /**
   * A machine that throws has a bug, and nobody can say what it knows: only the log does. `replyTo`: who sent the event, and is not to send
   * it again.
   */
  #run(event: Event, replyTo?: ReplyTo<unknown>): void {
    try {
      const effects = this.#machine!.step(event, this.#options.clock.now())
      for (const effect of effects) {
        if (this.#do(effect)) continue
        this.#tooLarge(effects)
        return
      }
    } catch (error) {
      this.#logger.error(
        { partition: this.#name, err: error },
        'a bug in the coordinator: it starts again from its log',
      )
      if (replyTo !== undefined) this.#waiting.refuse(replyTo, ErrorCode.UNKNOWN_SERVER_ERROR)
      this.#startAgain(ErrorCode.NOT_COORDINATOR)
    }
  }

  /** False when no batch can hold a record of it. */
  #do(effect: Effect<Event, Entry, Note>): boolean {
    switch (effect.kind) {
      case 'append':
        return this.#append(effect.records)
      case 'reply':
        this.#queue.reply(effect)
        break
      case 'setTimer':
        this.#timers.set(effect.key, effect.afterMs, effect.event)
        break
      case 'cancelTimer':
        this.#timers.cancel(effect.key)
        break
      case 'note':
        this.#options.onNote?.(effect.note)
    }
    return true
  }

  #append(entries: readonly Entry[]): boolean {
    const { codec } = this.#options
    const records = entries.map((entry) => codec.encode(entry))
    if (!this.#queue.append(records)) return false
    for (const entry of entries) this.#machine!.apply(entry, noTransaction)
    return true
  }

  /** Whoever asked for it hears so, and is not to ask again; nobody else has done anything wrong. */
  #tooLarge(effects: readonly Effect<Event, Entry, Note>[]): void {
    this.#logger.error(
      { partition: this.#name, bytesMax: this.#partition.batchBytesMax },
      'a record of the coordinator is too large for its topic: it starts again from its log',
    )
    for (const effect of effects) {
      if (effect.kind === 'reply') this.#waiting.refuse(effect.replyTo, codeOfAppendRefusal.recordListTooLarge)
    }
    this.#startAgain(ErrorCode.NOT_COORDINATOR)
  }

  #newQueue(): CommitQueue<DraftedReply> {
    const { clock, settings } = this.#options
    const { commitTimeoutMs, compression } = settings
    const owner = {
      answered: (replies: readonly DraftedReply[]) => {
        for (const { replyTo, response } of replies) this.#waiting.answer(replyTo, response)
      },
      // The machine keeps what it knows; whoever waited asks again.
      overdue: (replies: readonly DraftedReply[], why: 'timeout' | 'leaseLapsed') => {
        const code = why === 'timeout' ? ErrorCode.COORDINATOR_NOT_AVAILABLE : codeOfAppendRefusal.leaseLapsed
        for (const { replyTo } of replies) this.#waiting.refuse(replyTo, code)
      },
      refused: (refusal: AppendRefusal) => this.#refused(refusal),
      failed: (error: unknown) => this.#failed(error),
    }
    return new CommitQueue({ partition: this.#partition, clock, owner, commitTimeoutMs, codec: compression })
  }

  #refused(refusal: AppendRefusal): void {
    const code = codeOfAppendRefusal[refusal]
    if (refusal === 'offline') {
      this.#logger.error(
        { partition: this.#name, refusal },
        'the coordinator cannot append: its partition is not served',
      )
      this.stop(code)
      return
    }
    this.#logger.error(
      { partition: this.#name, refusal },
      'the coordinator cannot append: it starts again from its log',
    )
    this.#startAgain(code)
  }

  #failed(error: unknown): void {
    if (error instanceof AppendsDropped) {
      // What the machine decided on last is not in the log.
      this.#logger.warn(
        { partition: this.#name, err: error },
        'the disk is full, the coordinator goes back to what its log has',
      )
      this.#startAgain(codeOfAppendRefusal.diskFull)
    } else {
      this.#logger.warn({ partition: this.#name, err: error }, 'the coordinator lost its partition')
      this.stop(ErrorCode.NOT_COORDINATOR)
    }
  }

  #startAgain(code: ErrorCode): void {
    this.#dropMachine(code)
    void this.#load()
  }

  #dropMachine(code: ErrorCode): void {
    this.#machine = null
    this.#queue.close()
    this.#queue = this.#newQueue()
    this.#timers.clear()
    this.#waiting.refuseAll(code)
  }
}
