// One state machine over one internal partition, from election to resignation: the only place where a coordinator meets its log.
//
//   loading --replayed--> active --committed() rejects, log offline--> stopped
//      ^                    |
//      +-- append refused, -+   the machine has decided on what the log will never hold: drop it, rebuild it from the log
//          or dropped for want of room, the lease lapsed, or a bug
//
// Events run one at a time, to their end. The appends of one turn of the event loop become one batch; a reply leaves once everything
// that was appended before it is committed, so that no client ever learns of state that a new leader may not have.

import type { Clock, Timer } from '../io/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { buildBatch } from '../records/batch-builder.ts'
import type { Offset } from '../storage/partition-log.ts'
import { codeOfAppendRefusal } from './append-refusal.ts'
import { AppendsDropped, type CoordinatorPartition, type CoordinatorRefusal } from './coordinator-partition.ts'
import { type CoordinatorMachine, type Effect, type EntryCodec, noTransaction, type ReplyTo } from './effect.ts'
import { replayLog } from './replay-log.ts'
import { Turn } from './turn.ts'
import { WaitingRequests } from './waiting-requests.ts'

export interface RuntimeSettings {
  /** How long a reply waits for its records to be committed (offsets.commit.timeout.ms). */
  readonly commitTimeoutMs: number
  /** Bound on one batch; a single record may be larger, and is then up to the log. */
  readonly batchBytesMax: number
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

interface DraftedReply {
  readonly replyTo: ReplyTo<unknown>
  readonly response: unknown
}

/** Replies that wait for the log to be committed up to some offset. */
interface Held {
  replies: DraftedReply[]
  timer: Timer | null
}

export class CoordinatedPartition<Event, Entry, Note = never> {
  /** Resolves when the first load has ended, well or not. */
  readonly loaded: Promise<void>
  readonly #partition: CoordinatorPartition
  readonly #options: MachineOptions<Event, Entry, Note>
  readonly #logger: Logger
  readonly #name: string
  readonly #waiting = new WaitingRequests()
  readonly #timers = new Map<string, Timer>()
  /** Null unless active. */
  #machine: CoordinatorMachine<Event, Entry, Note> | null = null
  #stopped = false
  #turn: Turn<DraftedReply> | null = null
  /** The newest appends that are not committed yet; everything before them is waited for on its own. */
  #newest: Held | null = null
  readonly #held = new Set<Held>()
  /** As many as topics deleted and connections closed during one load. */
  readonly #toldWhileLoading: Event[] = []

  /** `name`: for log lines, such as `__consumer_offsets-7`. */
  constructor(name: string, partition: CoordinatorPartition, options: MachineOptions<Event, Entry, Note>) {
    this.#name = name
    this.#partition = partition
    this.#options = options
    this.#logger = options.logger
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
    this.#run(event(replyTo))
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
      if (this.#partition.highWatermark < end) this.#holdUntil(end, [])
      for (const effect of machine.loaded(clock.now())) this.#do(effect)
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

  /** A machine that throws has a bug, and nobody can say what it knows: only the log does. */
  #run(event: Event): void {
    try {
      for (const effect of this.#machine!.step(event, this.#options.clock.now())) this.#do(effect)
    } catch (error) {
      this.#logger.error(
        { partition: this.#name, err: error },
        'a bug in the coordinator: it starts again from its log',
      )
      this.#startAgain(ErrorCode.UNKNOWN_SERVER_ERROR)
    }
  }

  #do(effect: Effect<Event, Entry, Note>): void {
    switch (effect.kind) {
      case 'append':
        this.#append(effect.records)
        break
      case 'reply':
        this.#reply(effect)
        break
      case 'setTimer':
        this.#setTimer(effect.key, effect.afterMs, effect.event)
        break
      case 'cancelTimer':
        this.#timers.get(effect.key)?.cancel()
        this.#timers.delete(effect.key)
        break
      case 'note':
        this.#options.onNote?.(effect.note)
    }
  }

  #append(entries: readonly Entry[]): void {
    const { codec, clock, settings } = this.#options
    if (this.#turn === null) {
      const turn = new Turn<DraftedReply>(settings.batchBytesMax)
      this.#turn = turn
      clock.defer(() => {
        if (this.#turn === turn) this.#endTurn(turn)
      })
    }
    for (const entry of entries) {
      this.#turn.add(codec.encode(entry))
      this.#machine!.apply(entry, noTransaction)
    }
  }

  #endTurn(turn: Turn<DraftedReply>): void {
    this.#turn = null
    let end = 0
    for (const records of turn.batches) {
      const batch = buildBatch(records, { timestamp: this.#options.clock.now() })
      let appended
      try {
        appended = this.#partition.append(batch)
      } catch (error) {
        this.#lost(error)
        return
      }
      if (!appended.ok) {
        this.#refused(appended.refusal)
        return
      }
      end = appended.lastOffset + 1
    }
    this.#holdUntil(end, turn.replies)
  }

  #reply(draft: DraftedReply): void {
    if (this.#turn !== null) {
      this.#turn.replies.push(draft)
    } else if (this.#newest !== null) {
      this.#newest.replies.push(draft)
      this.#armTimeout(this.#newest)
    } else {
      this.#waiting.answer(draft.replyTo, draft.response)
    }
  }

  #holdUntil(end: Offset, replies: DraftedReply[]): void {
    const held: Held = { replies, timer: null }
    this.#newest = held
    this.#held.add(held)
    if (replies.length > 0) this.#armTimeout(held)
    this.#partition.committed(end).then(
      () => this.#release(held),
      (error: unknown) => {
        if (!this.#held.has(held)) return
        if (error instanceof AppendsDropped) this.#dropped(error)
        else this.#lost(error)
      },
    )
  }

  #release(held: Held): void {
    if (!this.#held.delete(held)) return
    if (this.#newest === held) this.#newest = null
    held.timer?.cancel()
    for (const { replyTo, response } of held.replies) this.#waiting.answer(replyTo, response)
  }

  /** The records may still be committed, so the machine keeps them; whoever waited asks again. */
  #armTimeout(held: Held): void {
    held.timer ??= this.#options.clock.setTimer(this.#options.settings.commitTimeoutMs, () => {
      held.timer = null
      const replies = held.replies
      held.replies = []
      for (const { replyTo } of replies) this.#waiting.refuse(replyTo, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    })
  }

  #setTimer(key: string, afterMs: number, event: Event): void {
    this.#timers.get(key)?.cancel()
    const timer = this.#options.clock.setTimer(afterMs, () => {
      this.#timers.delete(key)
      this.#run(event)
    })
    this.#timers.set(key, timer)
  }

  #refused(refusal: CoordinatorRefusal): void {
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

  /** What the machine decided on last is not in the log. */
  #dropped(error: Error): void {
    this.#logger.warn(
      { partition: this.#name, err: error },
      'the disk is full, the coordinator goes back to what its log has',
    )
    this.#startAgain(codeOfAppendRefusal.diskFull)
  }

  #startAgain(code: ErrorCode): void {
    this.#dropMachine(code)
    void this.#load()
  }

  /** This broker no longer leads the partition, or its disk failed. */
  #lost(error: unknown): void {
    this.#logger.warn({ partition: this.#name, err: error }, 'the coordinator lost its partition')
    this.stop(ErrorCode.NOT_COORDINATOR)
  }

  #dropMachine(code: ErrorCode): void {
    this.#machine = null
    this.#turn = null
    this.#newest = null
    for (const held of this.#held) held.timer?.cancel()
    this.#held.clear()
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.#waiting.refuseAll(code)
  }
}
