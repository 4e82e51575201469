// Which brokers get the replicas of new partitions. The properties are those of Kafka's StripedReplicaPlacer: replicas go over the racks
// in turn, within a rack over its brokers in turn, and every partition begins one rack and one broker further; so leaders and followers
// are spread, and no broker's followers are all in one place. Racks come before brokers: a rack of one broker gets as much as others.
// Brokers that are not there come last in their rack, and never lead. Beyond Kafka, which leaves that to chance, the brokers of a rack
// lead equally often.

import type { Random } from '../io/random.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

export interface PlaceableBroker {
  readonly id: number
  readonly rack: string | null
  /** There, and not about to leave. */
  readonly active: boolean
}

export interface Placement {
  readonly brokers: readonly PlaceableBroker[]
  readonly partitions: number
  readonly factor: number
  readonly random: Random
  /** Of the topic's partitions that are there already: the new ones go on where they end. */
  readonly existing?: readonly (readonly number[])[]
}

/**
 * The replicas of each partition, the leader first. Refuses with `INVALID_REPLICATION_FACTOR`.
 * Racks a (1, 2) and b (3, 4), all offsets 0, factor 2: [1,3] [4,2] [2,4] [3,1]; every broker has led, so the order is shuffled.
 */
export function placeReplicas(
  placement: Placement,
): TopicRefusal | { readonly ok: true; readonly replicas: readonly (readonly number[])[] } {
  const { brokers, factor } = placement
  const refused = (why: string) => refuse(ErrorCode.INVALID_REPLICATION_FACTOR, why)
  if (factor <= 0) return refused(`Invalid replication factor ${factor}: the replication factor must be positive.`)
  if (factor > brokers.length) {
    return refused(
      `The target replication factor of ${factor} cannot be reached because only ${brokers.length} broker(s) are registered.`,
    )
  }
  const activeCount = brokers.filter(({ active }) => active).length
  if (activeCount === 0) return refused('All brokers are currently fenced.')
  const racks = new Racks(placement)
  const replicas: number[][] = []
  for (let index = 0; index < placement.partitions; index++) {
    if (index > 0 && activeCount > 1 && index % activeCount === 0) racks.shuffle(placement.random)
    replicas.push(racks.next(factor))
  }
  return { ok: true, replicas }
}

class Racks {
  readonly #racks: Rack[]
  /** The rack that the next partition begins with. */
  #first: number

  constructor({ brokers, random, existing = [] }: Placement) {
    const byName = new Map<string, PlaceableBroker[]>()
    for (const broker of brokers) {
      const name = broker.rack ?? ''
      const rack = byName.get(name)
      if (rack === undefined) byName.set(name, [broker])
      else rack.push(broker)
    }
    this.#racks = [...byName]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, rack]) => new Rack(rack, { random, existing, rackCount: byName.size }))
    const lastLeader = existing.at(-1)?.[0]
    const lastRack = lastLeader === undefined ? -1 : this.#racks.findIndex((rack) => rack.holds(lastLeader))
    this.#first = lastRack < 0 ? random.below(this.#racks.length) : (lastRack + 1) % this.#racks.length
  }

  next(factor: number): number[] {
    const count = this.#racks.length
    for (const rack of this.#racks) rack.begin()
    const replicas: number[] = []
    let leading = this.#first
    for (;;) {
      const leader = this.#racks[leading]!.nextActive()
      if (leader !== null) {
        replicas.push(leader)
        break
      }
      leading = (leading + 1) % count
    }
    // The rack of the leader has had its turn in the first round.
    for (let at = this.#first, first = true; replicas.length < factor; at = (at + 1) % count) {
      if (first && at === leading) {
        first = false
        continue
      }
      const replica = this.#racks[at]!.next()
      if (replica !== null) replicas.push(replica)
    }
    for (const rack of this.#racks) rack.advance()
    this.#first = (this.#first + 1) % count
    return replicas
  }

  shuffle(random: Random): void {
    shuffle(this.#racks, random)
    for (const rack of this.#racks) rack.shuffle(random)
  }
}

class Rack {
  readonly #active: Ring
  readonly #others: Ring
  readonly #ids: ReadonlySet<number>

  constructor(
    brokers: readonly PlaceableBroker[],
    { random, existing, rackCount }: { random: Random; existing: readonly (readonly number[])[]; rackCount: number },
  ) {
    this.#ids = new Set(brokers.map(({ id }) => id))
    const idsOf = (active: boolean) =>
      brokers
        .filter((broker) => broker.active === active)
        .map(({ id }) => id)
        .sort((a, b) => a - b)
    const ours = (id: number) => this.#ids.has(id)
    const last = existing.findLast((ids) => ids.some(ours))?.find(ours)
    this.#active = new Ring(idsOf(true), { random, rackCount, last })
    this.#others = new Ring(idsOf(false), { random, rackCount })
  }

  holds(id: number): boolean {
    return this.#ids.has(id)
  }

  begin(): void {
    this.#active.begin()
    this.#others.begin()
  }

  nextActive(): number | null {
    return this.#active.next()
  }

  next(): number | null {
    return this.#active.next() ?? this.#others.next()
  }

  /** The next partition begins with the next broker. */
  advance(): void {
    this.#active.advance()
    this.#others.advance()
  }

  shuffle(random: Random): void {
    this.#active.shuffle(random)
    this.#others.shuffle(random)
  }
}

/** Brokers in turn; each once for a partition. */
class Ring {
  readonly #ids: number[]
  readonly #rackCount: number
  #offset: number
  #partitions = 0
  /** Steps beyond one a partition, each time all racks have led: without them only some of the brokers would ever lead. */
  readonly #extra: number
  #taken = 0

  /** `last`: who had the turn before. */
  constructor(ids: number[], options: { random: Random; rackCount: number; last?: number | undefined }) {
    const { random, rackCount, last } = options
    this.#ids = ids
    this.#rackCount = rackCount
    const at = last === undefined ? -1 : ids.indexOf(last)
    this.#offset = at >= 0 ? at + 1 : ids.length === 0 ? 0 : random.below(ids.length)
    let extra = 0
    while (ids.length > 1 && greatestCommonDivisor(rackCount + extra, ids.length) > 1) extra++
    this.#extra = extra
  }

  begin(): void {
    this.#taken = 0
  }

  next(): number | null {
    if (this.#taken >= this.#ids.length) return null
    return this.#ids[(this.#offset + this.#taken++) % this.#ids.length]!
  }

  advance(): void {
    this.#offset++
    if (++this.#partitions % this.#rackCount === 0) this.#offset += this.#extra
  }

  shuffle(random: Random): void {
    shuffle(this.#ids, random)
  }
}

function shuffle(items: unknown[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const item = items[i]!
    items[i] = items[j]!
    items[j] = item
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
