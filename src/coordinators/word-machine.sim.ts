// The smallest machine a coordinator can run, with a coordinator around it on a simulated clock and a simulated log.

import { SimulatedClock } from '../io/clock.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { recordsOf } from '../records/record.ts'
import { CoordinatedPartition, type RuntimeSettings } from './coordinated-partition.ts'
import { SimulatedCoordinatorPartition } from './coordinator-partition.sim.ts'
import { CoordinatorTimers } from './coordinator-timers.ts'
import { type CoordinatorMachine, type Effect, type EntryCodec, noTransaction, reply, type ReplyTo } from './effect.ts'

/** A machine that remembers words: enough to see what the runtime does with any. */
export type WordEvent =
  | { kind: 'write'; words: string[]; replyTo?: ReplyTo<Answer> }
  | { kind: 'read'; replyTo: ReplyTo<Answer> }
  | { kind: 'later'; key: string; afterMs: number; word: string }
  | { kind: 'never'; key: string }
  | { kind: 'fail' }
export type Answer = string | ErrorCode
type WordEffect = Effect<WordEvent, string>

export class WordMachine implements CoordinatorMachine<WordEvent, string> {
  readonly words: string[] = []
  readonly #pending: [producerId: number, word: string][] = []

  step(event: WordEvent): WordEffect[] {
    switch (event.kind) {
      case 'write': {
        const append: WordEffect = { kind: 'append', records: event.words }
        return event.replyTo === undefined ? [append] : [append, reply(event.replyTo, 'written')]
      }
      case 'read':
        return [reply(event.replyTo, this.words.join(' '))]
      case 'later':
        return [
          { kind: 'setTimer', key: event.key, afterMs: event.afterMs, event: { kind: 'write', words: [event.word] } },
        ]
      case 'never':
        return [{ kind: 'cancelTimer', key: event.key }]
      case 'fail':
        throw new Error('a bug')
    }
  }

  apply(word: string, producerId: number): void {
    if (producerId === noTransaction) this.words.push(word)
    else this.#pending.push([producerId, word])
  }

  transactionEnded(producerId: number, committed: boolean): void {
    for (const [id, word] of this.#pending.splice(0)) {
      if (id === producerId && committed) this.words.push(word)
      if (id !== producerId) this.#pending.push([id, word])
    }
  }

  loaded(): WordEffect[] {
    return []
  }
}

const codec: EntryCodec<string> = {
  encode: (word) => ({ key: Buffer.from(word), value: null }),
  decode: ({ key }) => {
    const word = Buffer.from(key).toString()
    if (word === 'damaged') throw new Error('damaged')
    return word === 'unknown' ? null : word
  },
}

const settings: RuntimeSettings = { commitTimeoutMs: 5_000, compression: 'none', loadReadBytesMax: 200 }

export function setUp(partition = new SimulatedCoordinatorPartition(), own: Partial<RuntimeSettings> = {}) {
  const clock = new SimulatedClock()
  const machines: WordMachine[] = []
  const createMachine = () => {
    const machine = new WordMachine()
    machines.push(machine)
    return machine
  }
  const timers = new CoordinatorTimers<WordEvent>(clock)
  const options = { clock, logger: silentLogger, settings: { ...settings, ...own }, codec, createMachine, timers }
  const coordinated = new CoordinatedPartition<WordEvent, string>('words-0', partition, options)
  const refusal = (code: ErrorCode): Answer => code
  return {
    partition,
    clock,
    machines,
    coordinated,
    write: (...words: string[]) =>
      coordinated.submit<Answer>((replyTo) => ({ kind: 'write', words, replyTo }), refusal),
    read: () => coordinated.submit<Answer>((replyTo) => ({ kind: 'read', replyTo }), refusal),
  }
}

export async function loaded(partition?: SimulatedCoordinatorPartition, own?: Partial<RuntimeSettings>) {
  const setting = setUp(partition, own)
  await setting.coordinated.loaded
  return setting
}

/** Words of each batch in the log. */
export function batchesOf(partition: SimulatedCoordinatorPartition): string[][] {
  return partition.batches.map((batch) => [...recordsOf(batch)].map(({ key }) => Buffer.from(key!).toString()))
}

export function logOf(...batches: string[][]): SimulatedCoordinatorPartition {
  const partition = new SimulatedCoordinatorPartition()
  for (const words of batches) partition.append(buildBatch(words.map((key) => ({ key }))))
  return partition
}

/** What a promise has come to by now. */
export function soFar<T>(promise: Promise<T>): Promise<T | 'waits'> {
  return Promise.race([promise, new SimulatedClock().settle().then(() => 'waits' as const)])
}
