// Who owns which partitions of a group, as the members themselves believe: from when they were given a partition until they gave it up.
//
// Two may believe in the same partition at one moment without anybody's fault: who was silent for too long is out, and does not know it
// yet. So both are only noted at first. The rule is broken once the coordinator has answered both of them, each on a request that left after
// that moment, as the members that they say they are: it counts neither as gone, and has given both of them the same partition.

import { Violation } from '../contracts.ts'

/** A member from its joining until it is gone, or begins anew: fenced, replaced, dead. Another one each time. */
export interface Membership {
  /** For people: its host and its id. */
  readonly name: string
}

/** Orders what members do; of no other meaning. */
export type Moment = number

interface Doubt {
  readonly partition: string
  readonly since: Moment
  readonly both: readonly [Membership, Membership]
  /** Answered since as members in good standing. */
  readonly answered: Set<Membership>
}

export class Ownership {
  readonly #group: string
  readonly #owners = new Map<string, Set<Membership>>()
  readonly #given = new Map<string, number>()
  #doubts: Doubt[] = []
  #now: Moment = 0
  #handovers = 0

  constructor(group: string) {
    this.#group = group
  }

  /** How often a partition was taken. */
  get handovers(): number {
    return this.#handovers
  }

  /** How often this partition was given up, or lost. */
  endsOf(partition: string): number {
    return this.#given.get(partition) ?? 0
  }

  /** Two that still believe in one partition, in words; null: none do. */
  get doubt(): string | null {
    const first = this.#doubts[0]
    return first === undefined ? null : `${first.partition} is believed in by ${namesOf(first.both)}`
  }

  /** Before a request leaves: what its answer is to be shown with. */
  asking(): Moment {
    return this.#now
  }

  took(member: Membership, partition: string): void {
    this.#now += 1
    let owners = this.#owners.get(partition)
    if (owners === undefined) this.#owners.set(partition, (owners = new Set()))
    if (owners.has(member)) return
    this.#handovers += 1
    this.#doubt(member, partition, owners)
    owners.add(member)
  }

  gaveUp(member: Membership, partition: string): void {
    if (this.#owners.get(partition)?.delete(member) === true) this.#given.set(partition, this.endsOf(partition) + 1)
  }

  /** The coordinator took it for a member. */
  confirmed(member: Membership, asked: Moment): void {
    for (const { partition, since, both, answered } of this.#doubts) {
      if (asked < since || !both.includes(member)) continue
      answered.add(member)
      if (answered.size === both.length) {
        throw new Violation(
          'a partition has one owner',
          `${partition} of ${this.#group} belongs to ${namesOf(both)}, and the coordinator takes both for members`,
        )
      }
    }
  }

  /** It is still a member, but was none of the generation in which others got what it had. */
  missed(member: Membership): void {
    this.#doubts = this.#doubts.filter(({ both }) => !both.includes(member))
  }

  /**
   * It was dropped, or may have been, and let in again without being told so. Nobody blames it for what it believed until now: it believes
   * anew in what it has been given now, and still has.
   */
  readmitted(member: Membership): void {
    this.missed(member)
    this.#now += 1
    for (const [partition, owners] of this.#owners) if (owners.has(member)) this.#doubt(member, partition, owners)
  }

  /** It is no member any more, and knows it; or is dead. */
  gone(member: Membership): void {
    this.missed(member)
    for (const partition of this.#owners.keys()) this.gaveUp(member, partition)
  }

  #doubt(member: Membership, partition: string, owners: ReadonlySet<Membership>): void {
    for (const other of owners) {
      if (other === member) continue
      this.#doubts.push({ partition, since: this.#now, both: [other, member], answered: new Set() })
    }
  }
}

function namesOf([one, other]: Doubt['both']): string {
  return `${one.name} and ${other.name}`
}
