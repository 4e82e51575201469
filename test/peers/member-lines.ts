// What the members of groups under test say, whatever client they are made with: a line on stdout for each thing that happens.
//
//   TIME assigned TOPIC:PARTITION ...         these are its own from now on
//   TIME revoked TOPIC:PARTITION ...          it has given them up, before it says so to the coordinator
//   TIME lost TOPIC:PARTITION ...             it has found out that they are no longer its own
//   TIME record TOPIC PARTITION OFFSET VALUE
//   TIME committing TOPIC PARTITION OFFSET    the next offset to read is on its way
//   TIME committed TOPIC PARTITION OFFSET     and kept
//   TIME failed WORDS                         something went wrong, and it goes on
//   TIME closed                               it has left, and nothing follows
//
// TIME is in microseconds since 1970 by the machine's clock, which in some languages says no more than milliseconds. Arguments are `name=value`: bootstrap, topics (a,b), group, name, protocol (classic or
// consumer), assignor, sessionTimeoutMs, and for static members instance. SIGTERM closes a member.

export interface MemberArguments {
  readonly bootstrap: readonly string[]
  readonly topics: readonly string[]
  readonly group: string
  readonly name: string
  readonly instance: string | undefined
  readonly protocol: 'classic' | 'consumer'
  readonly assignor: string
  readonly sessionTimeoutMs: number
}

export function memberArguments(args: readonly string[]): MemberArguments {
  const given = new Map(args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]))
  const of = (name: string): string => {
    const value = given.get(name)
    if (value === undefined) throw new Error(`${name}=... is missing`)
    return value
  }
  return {
    bootstrap: of('bootstrap').split(','),
    topics: of('topics').split(','),
    group: of('group'),
    name: of('name'),
    instance: given.get('instance'),
    protocol: of('protocol') === 'consumer' ? 'consumer' : 'classic',
    assignor: of('assignor'),
    sessionTimeoutMs: Number(of('sessionTimeoutMs')),
  }
}

export function say(...words: readonly (string | number)[]): void {
  process.stdout.write(`${Date.now() * 1000} ${words.join(' ')}\n`)
}

/** The partitions of a member, and the lines that a change of them makes. Partitions are named `TOPIC:PARTITION`. */
export class OwnPartitions {
  #own: ReadonlySet<string> = new Set()

  has(topic: string, partition: number): boolean {
    return this.#own.has(`${topic}:${partition}`)
  }

  /** `goes`: what to say of those that are not in `next`. */
  become(next: ReadonlySet<string>, goes: 'revoked' | 'lost'): void {
    const gone = [...this.#own].filter((one) => !next.has(one))
    const added = [...next].filter((one) => !this.#own.has(one))
    this.#own = next
    if (gone.length > 0) say(goes, ...gone)
    if (added.length > 0) say('assigned', ...added)
  }
}
