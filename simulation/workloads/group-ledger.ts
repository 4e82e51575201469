// What a group was promised: a partition has one owner in each generation, what was committed stays committed, and between what it
// committed and went on from no record was left out.

import type { CommitFate, MemberListener } from '../clients/group-member.ts'
import { Violation } from '../contracts.ts'

interface PartitionOfGroup {
  /** The greatest offset whose commit was confirmed; -1: none. */
  confirmed: number
  /** Offsets of commits that were never answered: they may come into force at any time, also after later ones. */
  readonly unknown: Set<number>
  /** Records below it have been read by some member. */
  readTo: number
}

export class GroupLedger implements MemberListener {
  readonly group: string
  readonly #partitions = new Map<number, PartitionOfGroup>()
  /** `generation partition`. */
  readonly #owners = new Map<string, string>()
  #generations = 0
  #commits = 0

  constructor(group: string) {
    this.group = group
  }

  get generations(): number {
    return this.#generations
  }

  get commitsConfirmed(): number {
    return this.#commits
  }

  confirmed(partition: number): number {
    return this.#partition(partition).confirmed
  }

  assigned(member: string, generation: number, partitions: readonly number[]): void {
    this.#generations = Math.max(this.#generations, generation)
    for (const partition of partitions) {
      const key = `${generation} ${partition}`
      const owner = this.#owners.get(key)
      if (owner !== undefined && owner !== member) {
        throw new Violation(
          'a partition has one owner in a generation',
          `in generation ${generation} of ${this.group} partition ${partition} is given to ${member}, and was to ${owner}`,
        )
      }
      this.#owners.set(key, member)
    }
  }

  /** Commits confirmed before the request leaves are in its answer. */
  asking(partition: number): number {
    return this.confirmed(partition)
  }

  resumes(partition: number, committed: number, asked: unknown): void {
    const { unknown, readTo } = this.#partition(partition)
    const confirmed = Number(asked)
    if (committed < confirmed && !unknown.has(committed)) {
      throw new Violation(
        'committed offsets are kept',
        `${this.group} has committed ${confirmed} of partition ${partition}, and is told ${committed}`,
      )
    }
    if (committed > readTo) {
      throw new Violation(
        'committed offsets are those that were committed',
        `${this.group} has read partition ${partition} to ${readTo}, and is told that ${committed} is committed`,
      )
    }
  }

  read(partition: number, from: number, to: number): void {
    const known = this.#partition(partition)
    if (from > known.readTo) {
      throw new Violation(
        'a group leaves nothing out',
        `${this.group} has read partition ${partition} to ${known.readTo}, and goes on from ${from}`,
      )
    }
    known.readTo = Math.max(known.readTo, to)
  }

  commits(partition: number, offset: number): (fate: CommitFate) => void {
    const known = this.#partition(partition)
    return (fate) => {
      if (fate === 'unknown') known.unknown.add(offset)
      if (fate !== 'committed') return
      this.#commits += 1
      known.confirmed = Math.max(known.confirmed, offset)
    }
  }

  #partition(partition: number): PartitionOfGroup {
    let known = this.#partitions.get(partition)
    if (known === undefined) {
      known = { confirmed: -1, unknown: new Set(), readTo: 0 }
      this.#partitions.set(partition, known)
    }
    return known
  }
}
