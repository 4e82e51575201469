// One rebalance, from what caused it to who reads what after it. Put together from happenings as they are told, with bounds on all
// that grows with the group.

import type { Millis } from '../../../io/clock.ts'
import type { NotedMember } from './group-note.ts'
import { namesToldMax } from './happening-words.ts'
import { keptMember, objectBytes, shortened, weightOfMember, weightOfText } from './kept-text.ts'

/** Causes told of one rebalance; the first is why it began. */
export const causesMax = 10
/** Members told of one rebalance whose partitions changed. */
export const changesMax = 50

/** The first names of a list, and how many there are besides. */
export interface BoundedNames {
  readonly names: readonly string[]
  readonly more: number
}

export interface MemberChange {
  readonly member: NotedMember
  readonly gained: BoundedNames
  readonly lost: BoundedNames
}

export interface Rebalance {
  /** Wall time. */
  readonly startedAt: Millis
  /** `interrupted`: the broker was no longer the coordinator, or began anew. */
  readonly outcome: 'running' | 'done' | 'interrupted'
  /** Null unless done. */
  readonly durationMs: Millis | null
  /** Generation or group epoch; null unless done. */
  readonly epoch: number | null
  readonly protocol: string | null
  /** Null where this broker does not know. */
  readonly membersBefore: number | null
  readonly membersAfter: number | null
  /** In words, in the order they happened. */
  readonly causes: readonly string[]
  readonly moreCauses: number
  readonly changes: readonly MemberChange[]
  readonly moreChanges: number
}

export class RebalanceUnderWay {
  readonly #startedAt: Millis
  readonly #membersBefore: number | null
  readonly #causes: string[] = []
  readonly #changes: MemberChange[] = []
  #moreCauses = 0
  #moreChanges = 0
  #weight = 2 * objectBytes

  constructor(startedAt: Millis, membersBefore: number | null, causes: readonly string[]) {
    this.#startedAt = startedAt
    this.#membersBefore = membersBefore
    for (const cause of causes) this.addCause(cause)
  }

  /** Bytes it takes, about. */
  get weight(): number {
    return this.#weight
  }

  addCause(words: string): void {
    if (this.#causes.length === causesMax) {
      this.#moreCauses++
      return
    }
    this.#causes.push(words)
    this.#weight += weightOfText(words)
  }

  addChange(member: NotedMember, gained: readonly string[], lost: readonly string[]): void {
    if (this.#changes.length === changesMax) {
      this.#moreChanges++
      return
    }
    const change = { member: keptMember(member), gained: boundedNames(gained), lost: boundedNames(lost) }
    this.#changes.push(change)
    const names = [...change.gained.names, ...change.lost.names]
    this.#weight += names.reduce(
      (sum, name) => sum + weightOfText(name),
      weightOfMember(change.member) + 2 * objectBytes,
    )
  }

  /** As it stands. */
  running(): Rebalance {
    return this.#as('running', { durationMs: null, epoch: null, protocol: null, membersAfter: null })
  }

  interrupted(): Rebalance {
    return { ...this.running(), outcome: 'interrupted' }
  }

  done(end: { durationMs: Millis; epoch: number; protocol: string | null; members: number }): Rebalance {
    const { durationMs, epoch, protocol, members } = end
    return this.#as('done', {
      durationMs,
      epoch,
      protocol: protocol === null ? null : shortened(protocol),
      membersAfter: members,
    })
  }

  #as(
    outcome: Rebalance['outcome'],
    end: Pick<Rebalance, 'durationMs' | 'epoch' | 'protocol' | 'membersAfter'>,
  ): Rebalance {
    return {
      startedAt: this.#startedAt,
      outcome,
      ...end,
      membersBefore: this.#membersBefore,
      causes: [...this.#causes],
      moreCauses: this.#moreCauses,
      changes: [...this.#changes],
      moreChanges: this.#moreChanges,
    }
  }
}

function boundedNames(names: readonly string[]): BoundedNames {
  return { names: names.slice(0, namesToldMax).map(shortened), more: Math.max(0, names.length - namesToldMax) }
}
