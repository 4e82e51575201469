// Drives the state machines of one coordinator: one over each internal partition that this broker leads.

import type { Logger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { CoordinatedPartition, type MachineOptions } from './coordinated-partition.ts'
import type { CoordinatorPartition } from './coordinator-partition.ts'
import { CoordinatorTimers } from './coordinator-timers.ts'
import type { ReplyTo } from './effect.ts'

export interface RuntimeOptions<Event, Entry, Note = never> extends MachineOptions<Event, Entry, Note> {
  /** The internal topic, for log lines. */
  readonly topicName: string
  readonly logger: Logger
}

export class CoordinatorRuntime<Event, Entry, Note = never> {
  readonly #options: RuntimeOptions<Event, Entry, Note>
  readonly #timers: CoordinatorTimers<Event>
  readonly #partitions = new Map<number, CoordinatedPartition<Event, Entry, Note>>()

  constructor(options: RuntimeOptions<Event, Entry, Note>) {
    this.#options = options
    this.#timers = new CoordinatorTimers(options.clock)
  }

  /** This broker leads partition `index` from now on. Resolves when its state is loaded, or could not be. */
  elected(index: number, partition: CoordinatorPartition): Promise<void> {
    this.resigned(index)
    const coordinated = new CoordinatedPartition(`${this.#options.topicName}-${index}`, partition, {
      ...this.#options,
      timers: this.#timers,
    })
    this.#partitions.set(index, coordinated)
    return coordinated.loaded
  }

  /** Whoever waits hears NOT_COORDINATOR. */
  resigned(index: number): void {
    this.#partitions.get(index)?.stop(ErrorCode.NOT_COORDINATOR)
    this.#partitions.delete(index)
  }

  /** Refused with NOT_COORDINATOR when this broker does not lead the partition. */
  submit<Response>(
    index: number,
    event: (replyTo: ReplyTo<Response>) => Event,
    refusal: (code: ErrorCode) => Response,
    signal?: AbortSignal,
  ): Promise<Response> {
    const partition = this.#partitions.get(index)
    if (partition === undefined) return Promise.resolve(refusal(ErrorCode.NOT_COORDINATOR))
    return partition.submit(event, refusal, signal)
  }

  /** Hands every machine the event; those that are loading get it afterwards. */
  tellAll(event: Event): void {
    for (const partition of this.#partitions.values()) partition.tell(event)
  }

  /** Partitions this broker leads, in no order. */
  get indexes(): readonly number[] {
    return [...this.#partitions.keys()]
  }

  /** Resolves when partition `index` is no longer loading; at once when it is not here. */
  async loaded(index: number): Promise<void> {
    await this.#partitions.get(index)?.loaded
  }

  close(): void {
    for (const index of this.indexes) this.resigned(index)
  }
}
