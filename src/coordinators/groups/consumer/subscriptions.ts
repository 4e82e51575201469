// What the members of a group read, all in all.

import { type ConsumerMember, regexOf } from './consumer-member.ts'

/** Topics by regular expression, those that have been looked up. */
export type ResolvedRegexes = ReadonlyMap<string, { readonly topics: readonly string[] }>

/** Names of the topics one member reads, existing or not. A regular expression that has not been looked up stands for none. */
export function topicsReadBy(member: ConsumerMember, regexes: ResolvedRegexes): ReadonlySet<string> {
  const regex = regexOf(member)
  const matched = regex === null ? [] : (regexes.get(regex)?.topics ?? [])
  return new Set([...member.subscribedTopicNames, ...matched])
}

export class Subscriptions {
  /** By topic name: how many members name it, and how many different regular expressions in use stand for it. */
  readonly #topics = new Map<string, { byName: number; byRegex: number }>()
  /** By regular expression: how many members have it. */
  readonly #regexes = new Map<string, number>()
  readonly #members: number

  constructor(members: Iterable<ConsumerMember>, resolved: ResolvedRegexes) {
    let count = 0
    // Most members of a group read the same, and share the list of it (consumer-group-state.ts).
    const lists = new Map<readonly string[], number>()
    for (const member of members) {
      count++
      const names = member.subscribedTopicNames
      lists.set(names, (lists.get(names) ?? 0) + 1)
      const regex = regexOf(member)
      if (regex !== null) this.#regexes.set(regex, (this.#regexes.get(regex) ?? 0) + 1)
    }
    for (const [names, sharers] of lists) for (const name of names) this.#topic(name).byName += sharers
    for (const regex of this.#regexes.keys()) {
      for (const name of resolved.get(regex)?.topics ?? []) this.#topic(name).byRegex++
    }
    this.#members = count
  }

  get topics(): Iterable<string> {
    return this.#topics.keys()
  }

  get regexes(): Iterable<string> {
    return this.#regexes.keys()
  }

  reads(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** All members read the same topics: those that all of them name, or those of the one regular expression that all of them have. */
  get homogeneous(): boolean {
    const counts = [...this.#topics.values()]
    if (this.#regexes.size === 0) return counts.every(({ byName }) => byName === this.#members)
    const [first] = this.#regexes.values()
    return first === this.#members && counts.every(({ byName, byRegex }) => byName === 0 && byRegex === 1)
  }

  #topic(name: string): { byName: number; byRegex: number } {
    let counts = this.#topics.get(name)
    if (counts === undefined) this.#topics.set(name, (counts = { byName: 0, byRegex: 0 }))
    return counts
  }
}
