// What the members of a group said, put in order of time, and what is wrong with it. Times in microseconds of the machine's clock.

/** `TOPIC:PARTITION` */
export type PartitionName = string

export type Observation = { readonly at: number; readonly member: string } & (
  | { readonly kind: 'assigned' | 'revoked' | 'lost'; readonly partitions: readonly PartitionName[] }
  | { readonly kind: 'record'; readonly partition: PartitionName; readonly offset: number; readonly value: string }
  /** `offset`: the next one to read. */
  | { readonly kind: 'committing' | 'committed'; readonly partition: PartitionName; readonly offset: number }
  | { readonly kind: 'failed'; readonly words: string }
  /** It has left. */
  | { readonly kind: 'closed' }
  /** Its process is no more. */
  | { readonly kind: 'ended' }
)

/** Null for a line that is none of `member-lines.ts`. */
export function observationOf(member: string, line: string): Observation | null {
  const [time = '', kind = '', ...words] = line.split(' ')
  const at = Number(time)
  if (!/^\d{16}$/.test(time)) return null
  switch (kind) {
    case 'assigned':
    case 'revoked':
    case 'lost':
      return { at, member, kind, partitions: words }
    case 'record':
      return { at, member, kind, partition: `${words[0]}:${words[1]}`, offset: Number(words[2]), value: words[3] ?? '' }
    case 'committing':
    case 'committed':
      return { at, member, kind, partition: `${words[0]}:${words[1]}`, offset: Number(words[2]) }
    case 'failed':
      return { at, member, kind, words: words.join(' ') }
    case 'closed':
      return { at, member, kind }
    default:
      return null
  }
}

/** Clocks that say milliseconds cannot tell what is first within one. */
const tickMicros = 1000

export interface Laws {
  /** The client reads on while it joins again, with what it owned before. */
  readonly readsWhileJoining: boolean
}

export interface Judged {
  readonly problems: readonly string[]
  /** Records read more than once. */
  readonly again: number
  /** Partitions that a member learned to have lost only when another already owned them. */
  readonly lostLate: number
}

/** From when a member owns a partition to when it says, or shows, that it does not. */
interface Tenure {
  readonly member: string
  readonly since: number
  /** The least offset that may be read: what the group had certainly committed. */
  readonly floor: number
  /** The greatest offset that may be read next: no record before it is passed over. */
  ceiling: number
}

interface Overtaking {
  readonly by: string
  readonly at: number
}

interface PartitionState {
  readonly tenures: Map<string, Tenure>
  /** Who came to own it, and when, before the member that is the key had said that it does not. */
  readonly overtaken: Map<string, Overtaking>
  readonly read: Set<number>
  committed: number
  /** The highest that a member may have committed without having heard so. */
  attempted: number
  /** Of the member that owned it last: how far it had read. */
  last: { readonly member: string; readonly next: number } | null
}

/**
 * Replays what was observed. A record is read again only from the last committed offset on, and only none is passed over; a partition
 * has one owner, but for one that finds out later that it was given up; committed offsets do not go back.
 */
export function judge(observations: readonly Observation[], { readsWhileJoining }: Laws): Judged {
  const replay = new Replay(readsWhileJoining)
  for (const one of observations.toSorted((a, b) => a.at - b.at)) replay.take(one)
  return replay.judged()
}

class Replay {
  readonly #readsWhileJoining: boolean
  readonly #partitions = new Map<PartitionName, PartitionState>()
  readonly #problems: string[] = []
  #again = 0
  #lostLate = 0

  constructor(readsWhileJoining: boolean) {
    this.#readsWhileJoining = readsWhileJoining
  }

  take(one: Observation): void {
    switch (one.kind) {
      case 'assigned':
        for (const name of one.partitions) this.#begin(name, one)
        break
      case 'revoked':
      case 'lost':
        for (const name of one.partitions) this.#end(name, one)
        break
      case 'closed':
      case 'ended':
        for (const name of this.#partitions.keys()) this.#end(name, one)
        break
      case 'record':
        this.#record(one.partition, one.member, one.offset)
        break
      case 'committing': {
        const state = this.#of(one.partition)
        state.attempted = Math.max(state.attempted, one.offset)
        break
      }
      case 'committed':
        this.#committed(one.partition, one.member, one.offset)
        break
      case 'failed':
    }
  }

  judged(): Judged {
    for (const [name, { overtaken }] of this.#partitions) {
      for (const [member, { by }] of overtaken) this.#problems.push(`${name} is owned by ${member} and ${by}`)
    }
    return { problems: this.#problems, again: this.#again, lostLate: this.#lostLate }
  }

  #of(name: PartitionName): PartitionState {
    let state = this.#partitions.get(name)
    if (state === undefined) {
      state = { tenures: new Map(), overtaken: new Map(), read: new Set(), committed: 0, attempted: 0, last: null }
      this.#partitions.set(name, state)
    }
    return state
  }

  #begin(name: PartitionName, { member, at }: Observation): void {
    const state = this.#of(name)
    for (const other of state.tenures.keys()) if (other !== member) state.overtaken.set(other, { by: member, at })
    // Whoever owned it before and owns it again may go on where it was.
    const before = state.last?.member === member ? state.last.next : 0
    const ceiling = Math.max(state.attempted, before)
    state.tenures.set(member, { member, since: at, floor: state.committed, ceiling })
  }

  #end(name: PartitionName, { member, kind, at }: Observation): void {
    const state = this.#of(name)
    const tenure = state.tenures.get(member)
    if (tenure === undefined) return
    state.tenures.delete(member)
    state.last = { member, next: tenure.ceiling }
    const overtaking = state.overtaken.get(member)
    state.overtaken.delete(member)
    if (overtaking === undefined || at <= overtaking.at + tickMicros) return
    if (kind === 'lost' || kind === 'ended') this.#lostLate += 1
    else this.#problems.push(`${name} was given up by ${member} when ${overtaking.by} already owned it`)
  }

  #record(name: PartitionName, member: string, offset: number): void {
    const state = this.#of(name)
    if (state.read.has(offset)) this.#again += 1
    state.read.add(offset)
    const tenure = state.tenures.get(member)
    if (tenure === undefined) {
      if (!this.#readsWhileJoining)
        this.#problems.push(`${member} read offset ${offset} of ${name}, which is not its own`)
      else if (state.last?.member === member) {
        state.last = { member, next: Math.max(state.last.next, offset + 1) }
      }
      return
    }
    if (offset < tenure.floor) {
      const why = `though ${tenure.floor} was committed before it came to own it`
      this.#problems.push(`${member} read offset ${offset} of ${name} again, ${why}`)
    }
    if (offset > tenure.ceiling) {
      this.#problems.push(`${member} passed over offsets ${tenure.ceiling} to ${offset - 1} of ${name}`)
    }
    tenure.ceiling = Math.max(tenure.ceiling, offset + 1)
  }

  #committed(name: PartitionName, member: string, offset: number): void {
    const state = this.#of(name)
    if (offset < state.committed) {
      this.#problems.push(`${member} committed ${offset} of ${name}, behind ${state.committed}`)
    }
    state.committed = Math.max(state.committed, offset)
  }
}
