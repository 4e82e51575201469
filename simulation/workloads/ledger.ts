// What was promised for one partition, and what consumers have seen of it. A promise that is broken is a `Violation` as soon as two
// observations contradict each other; what is missing is found at the end.
//
// What each kind of producer is promised:
//
//   idempotent  every record is there exactly once, in the order of its number, at the offset that was acknowledged (acks=all, KIP-98)
//   all         what was acknowledged is there at that offset; a retry may have written it elsewhere as well, or in another order
//   one         what was acknowledged is there at that offset unless the leadership in which it was written is over: a newer one may
//               have begun with what the old leader never passed on (acks=1, KIP-101)
//   zero        nothing, but a record that is sent once is there once at most
//
// And whoever the producer was: what a consumer has read at an offset is what every consumer reads there, always.

import { Violation } from '../contracts.ts'
import type { Acknowledgement } from '../clients/partition-producer.ts'
import type { ReadRecord } from '../clients/topic-reader.ts'

export type Promised = 'idempotent' | 'all' | 'one' | 'zero'

interface Acknowledged {
  readonly value: string
  /** The newest the producer knew of when it asked. */
  readonly leaderEpoch: number
}

interface Seen {
  readonly value: string
  readonly leaderEpoch: number
}

export class Ledger {
  readonly partition: string
  readonly promised: Promised
  /** By offset, without holes: consumers begin at 0 and miss nothing. */
  readonly #seen: Seen[] = []
  readonly #acknowledged = new Map<number, Acknowledged>()
  /** The number that each idempotent producer comes to next. */
  readonly #next = new Map<string, number>()
  /** Values of acks=0: they are sent once. */
  readonly #once = new Set<string>()
  #sent = 0

  constructor(partition: string, promised: Promised) {
    this.partition = partition
    this.promised = promised
  }

  get acknowledged(): number {
    return this.#acknowledged.size
  }

  get seen(): number {
    return this.#seen.length
  }

  get sent(): number {
    return this.#sent
  }

  /** The values of a producer: `numbered('producer-1', 7)`. */
  static numbered(producer: string, number: number): string {
    return `${producer}/${number}`
  }

  noteSent(count: number): void {
    this.#sent += count
  }

  noteAcknowledged({ baseOffset, values, leaderEpoch }: Acknowledgement): void {
    for (const [i, value] of values.entries()) {
      const offset = baseOffset + i
      const seen = this.#seen[offset]
      if (this.promised !== 'one' && seen !== undefined && seen.value !== value) {
        this.#lost(offset, value, `consumers read ${seen.value}`)
      }
      const other = this.#acknowledged.get(offset)
      if (this.promised !== 'one' && other !== undefined && other.value !== value) {
        this.#lost(offset, value, `so was ${other.value}`)
      }
      this.#acknowledged.set(offset, { value, leaderEpoch })
    }
  }

  /** Records as one consumer reads them, from 0 on and without holes; `position`: where it asked from. */
  noteRead(reader: string, position: number, records: readonly ReadRecord[]): void {
    let expected = position
    for (const { offset, leaderEpoch, value } of records) {
      if (offset !== expected) {
        throw new Violation(
          'consumers miss nothing',
          `${reader} reads offset ${offset} of ${this.partition} after ${expected - 1}`,
        )
      }
      expected += 1
      const seen = this.#seen[offset]
      if (seen === undefined) this.#firstSeen(offset, value, leaderEpoch)
      else if (seen.value !== value || seen.leaderEpoch !== leaderEpoch) {
        throw new Violation(
          'what consumers have read stays',
          `${reader} reads ${value} of epoch ${leaderEpoch} at ${offset} of ${this.partition}, where ${seen.value} of epoch ${seen.leaderEpoch} was read`,
        )
      }
    }
  }

  /** All has been read to the end. */
  verify(): void {
    for (const [offset, { value, leaderEpoch }] of this.#acknowledged) {
      const seen = this.#seen[offset]
      if (seen?.value === value) continue
      if (this.promised === 'one' && this.#mayBeReplaced(offset, leaderEpoch)) continue
      this.#lost(offset, value, seen === undefined ? `the log ends at ${this.#seen.length}` : `there is ${seen.value}`)
    }
  }

  #firstSeen(offset: number, value: string, leaderEpoch: number): void {
    if (offset !== this.#seen.length)
      throw new Error(`${this.partition}: ${offset} is read before ${this.#seen.length}`)
    this.#seen.push({ value, leaderEpoch })
    const promised = this.#acknowledged.get(offset)
    if (this.promised !== 'one' && promised !== undefined && promised.value !== value) {
      this.#lost(offset, promised.value, `consumers read ${value}`)
    }
    if (this.promised === 'idempotent') this.#inOrder(offset, value)
    if (this.promised === 'zero') {
      if (this.#once.has(value)) {
        throw new Violation(
          'nothing is doubled',
          `${value} was sent once, and is in ${this.partition} again at ${offset}`,
        )
      }
      this.#once.add(value)
    }
  }

  #inOrder(offset: number, value: string): void {
    const slash = value.lastIndexOf('/')
    const producer = value.slice(0, slash)
    const number = Number(value.slice(slash + 1))
    const expected = this.#next.get(producer) ?? 0
    if (number !== expected) {
      throw new Violation(
        number < expected ? 'nothing idempotent is doubled' : 'nothing idempotent is reordered or left out',
        `${value} is at ${offset} of ${this.partition}, where ${Ledger.numbered(producer, expected)} belongs`,
      )
    }
    this.#next.set(producer, number + 1)
  }

  /**
   * A leadership after the one that acknowledged has been there. What it began with may be older than what is lost: epoch 3 wrote `a`
   * at 7 and passed it on to broker 2 alone, epoch 4 wrote `b` at 7 and passed it on to nobody, epoch 5 is that of broker 2.
   */
  #mayBeReplaced(offset: number, leaderEpoch: number): boolean {
    return Math.max(this.#seen[offset]?.leaderEpoch ?? -1, this.#endedIn) > leaderEpoch
  }

  /** Leader epoch of the cluster when all was read. */
  #endedIn = -1

  /** For acks=1: the newest leader epoch there was. */
  endsIn(leaderEpoch: number): void {
    this.#endedIn = leaderEpoch
  }

  #lost(offset: number, value: string, instead: string): never {
    throw new Violation(
      this.promised === 'one' ? 'acks=1 is lost with its leadership only' : 'no acknowledged record is lost',
      `${value} was acknowledged at ${offset} of ${this.partition}, but ${instead}`,
    )
  }
}
