// What a group has committed, and may therefore be told: the last commit that was confirmed, or a later one whose fate nobody knows. Who is
// no longer the owner can change nothing: its commits, however late they arrive, are refused.

import type { Offset } from '../../src/storage/partition-log.ts'
import { Violation } from '../contracts.ts'

/** `unknown`: it may be in force, now or later. */
export type CommitFate = 'committed' | 'refused' | 'unknown'

interface Commit {
  /** Who committed, and in which generation where that counts. */
  readonly by: string
  readonly offset: Offset
  readonly number: number
}

interface PartitionHistory {
  /** The last one in force for certain. */
  confirmed: Commit | null
  /** Sent, and never answered. Those of earlier owners are over once a later one's commit was confirmed. */
  unsettled: Commit[]
}

/** What was certain when somebody asked. */
export interface Asked {
  readonly confirmed: Commit | null
}

export class CommitHistory {
  readonly #group: string
  readonly #partitions = new Map<string, PartitionHistory>()
  #commits = 0
  #confirmed = 0

  constructor(group: string) {
    this.#group = group
  }

  get commitsConfirmed(): number {
    return this.#confirmed
  }

  /** A commit leaves; the answer is called with what became of it. */
  commits(by: string, partition: string, offset: Offset): (fate: CommitFate) => void {
    const history = this.#partition(partition)
    const commit: Commit = { by, offset, number: ++this.#commits }
    const before = history.confirmed
    history.unsettled.push(commit)
    return (fate) => {
      if (fate === 'unknown') return
      history.unsettled = history.unsettled.filter((other) => other !== commit)
      if (fate === 'refused') return
      this.#confirmed += 1
      if (before !== null && before.by !== by && before.offset > offset) {
        this.#broken(`${by} commits ${offset} of ${partition}, and ${before.by} had committed ${before.offset}`)
      }
      if (history.confirmed !== null && history.confirmed.number > commit.number) return
      history.confirmed = commit
      history.unsettled = history.unsettled.filter((other) => other.by === by || other.number > commit.number)
    }
  }

  asking(partition: string): Asked {
    return { confirmed: this.#partition(partition).confirmed }
  }

  /** `offset`: -1: nothing is committed. */
  told(partition: string, offset: Offset, { confirmed }: Asked): void {
    const history = this.#partition(partition)
    if (offset === (confirmed?.offset ?? -1) || offset === history.confirmed?.offset) return
    const late = history.unsettled.find((commit) => commit.offset === offset)
    if (late !== undefined) {
      if (history.confirmed === confirmed) history.confirmed = late
      return
    }
    // Confirmed after the question, and before the last one.
    const isBetween = offset > (confirmed?.offset ?? -1) && offset < (history.confirmed?.offset ?? -1)
    if (isBetween) return
    const last = confirmed === null ? 'nothing' : `${confirmed.offset}, by ${confirmed.by}`
    this.#broken(`${this.#group} has committed ${last} of ${partition}, and is told ${offset}`)
  }

  #broken(what: string): never {
    throw new Violation('committed offsets go back only when a client says so', what)
  }

  #partition(name: string): PartitionHistory {
    let history = this.#partitions.get(name)
    if (history === undefined) this.#partitions.set(name, (history = { confirmed: null, unsettled: [] }))
    return history
  }
}
