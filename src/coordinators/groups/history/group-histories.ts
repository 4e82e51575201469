// The histories of all groups this broker coordinates: kept in memory, in all no more than a bound, and told to whoever listens.

import { channel } from 'node:diagnostics_channel'
import type { Clock, Millis } from '../../../io/clock.ts'
import { GroupHistory } from './group-history.ts'
import type { GroupNote, Happening } from './group-note.ts'
import { wordsOf } from './happening-words.ts'

/** One message per happening, on the diagnostics channel `odradek:group`; made only while somebody listens. */
export interface GroupHappened {
  readonly groupId: string
  /** Wall time. */
  readonly at: Millis
  readonly happening: Happening
  /** The same in words. */
  readonly words: string
}

export interface HistoryBounds {
  /** Groups whose history is kept. */
  readonly groupsMax: number
  /** Bytes that all histories may take, about. */
  readonly bytesMax: number
}

/** A group that rebalances now and then takes about 10 KB, one that never stops about 50 KB. */
const historyBoundsDefault: HistoryBounds = { groupsMax: 10_000, bytesMax: 32 * 1024 * 1024 }

const happened = channel('odradek:group')

export class GroupHistories {
  readonly #clock: Clock
  readonly #bounds: HistoryBounds
  /** In the order they were last added to: the first goes first. */
  readonly #groups = new Map<string, GroupHistory>()
  #bytes = 0
  /** Since a history was dropped, a group that has none may still have members. */
  #dropped = false

  constructor(clock: Clock, bounds = historyBoundsDefault) {
    this.#clock = clock
    this.#bounds = bounds
  }

  /** Bytes they take in all, about. */
  get bytes(): number {
    return this.#bytes
  }

  note({ groupId, what }: GroupNote): void {
    const at = this.#clock.now()
    const history = this.#groups.get(groupId) ?? new GroupHistory(this.#dropped ? null : 0)
    const before = this.#groups.delete(groupId) ? weightOf(groupId, history) : 0
    history.add(what, at)
    this.#groups.set(groupId, history)
    this.#bytes += weightOf(groupId, history) - before
    this.#dropOldest()
    if (happened.hasSubscribers) {
      const message: GroupHappened = { groupId, at, happening: what, words: wordsOf(what, at) }
      happened.publish(message)
    }
  }

  /** Undefined where nothing happened that is remembered. */
  of(groupId: string): GroupHistory | undefined {
    return this.#groups.get(groupId)
  }

  #dropOldest(): void {
    for (const [groupId, history] of this.#groups) {
      if (this.#groups.size <= this.#bounds.groupsMax && this.#bytes <= this.#bounds.bytesMax) return
      this.#groups.delete(groupId)
      this.#bytes -= weightOf(groupId, history)
      this.#dropped = true
    }
  }
}

/** Of the lists and of the map's entry itself. */
const historyBytes = 400

const weightOf = (groupId: string, history: GroupHistory): number => historyBytes + 2 * groupId.length + history.weight
