// The offsets committed by the groups of one partition, and those that wait for a transaction to end (KIP-98).

import type { CommittedOffset } from '../group-record.ts'

type ByPartition<Value> = Map<number, Value>
type ByTopic<Value> = Map<string, ByPartition<Value>>

export interface OffsetPlace {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

/** What a transaction is about to commit. */
interface PendingOffset {
  readonly offset: CommittedOffset
  /** Its place in the log, among what is pending. */
  readonly order: number
  /** Something else was committed after it: the offset is not to go back when the transaction ends. */
  outdated: boolean
}

/** group -> topic -> partition -> offset; no empty map is kept. */
class OffsetTable<Value> {
  readonly #groups = new Map<string, ByTopic<Value>>()

  get size(): number {
    return this.#groups.size
  }

  get({ groupId, topic, partition }: OffsetPlace): Value | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition)
  }

  set({ groupId, topic, partition }: OffsetPlace, value: Value): void {
    let topics = this.#groups.get(groupId)
    if (topics === undefined) this.#groups.set(groupId, (topics = new Map()))
    let partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, (partitions = new Map()))
    partitions.set(partition, value)
  }

  delete({ groupId, topic, partition }: OffsetPlace): void {
    const topics = this.#groups.get(groupId)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined || !partitions.delete(partition)) return
    if (partitions.size > 0) return
    topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(groupId)
  }

  of(groupId: string): ByTopic<Value> | undefined {
    return this.#groups.get(groupId)
  }

  *placesOf(groupId: string): Generator<readonly [OffsetPlace, Value]> {
    for (const [topic, partitions] of this.#groups.get(groupId) ?? []) {
      for (const [partition, value] of partitions) yield [{ groupId, topic, partition }, value]
    }
  }

  *places(): Generator<readonly [OffsetPlace, Value]> {
    for (const groupId of this.#groups.keys()) yield* this.placesOf(groupId)
  }

  *placesIn(topic: string): Generator<readonly [OffsetPlace, Value]> {
    for (const [groupId, topics] of this.#groups) {
      for (const [partition, value] of topics.get(topic) ?? []) yield [{ groupId, topic, partition }, value]
    }
  }
}

export class CommittedOffsets {
  readonly #committed = new OffsetTable<CommittedOffset>()
  /** By the producer id of the open transaction. */
  readonly #pending = new Map<number, OffsetTable<PendingOffset>>()
  #nextOrder = 0

  get(place: OffsetPlace): CommittedOffset | undefined {
    return this.#committed.get(place)
  }

  set(place: OffsetPlace, offset: CommittedOffset): void {
    this.#committed.set(place, offset)
    this.#outdate(place, this.#nextOrder)
  }

  delete(place: OffsetPlace): void {
    this.#committed.delete(place)
    for (const [producerId, table] of this.#pending) {
      table.delete(place)
      if (table.size === 0) this.#pending.delete(producerId)
    }
  }

  /** Topics of a group, each with its partitions; undefined when it has committed nothing. */
  of(groupId: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> | undefined {
    return this.#committed.of(groupId)
  }

  placesOf(groupId: string): Iterable<readonly [OffsetPlace, CommittedOffset]> {
    return this.#committed.placesOf(groupId)
  }

  /** Where the group has committed an offset, or is about to; each place once. */
  allPlacesOf(groupId: string): Iterable<OffsetPlace> {
    const committed = this.#committed.placesOf(groupId)
    return Array.from(
      this.#once(committed, (table) => table.placesOf(groupId)),
      ([place]) => place,
    )
  }

  /** Where any group has committed, or is about to commit, an offset of the topic; each place once, with the one that counts now. */
  placesIn(topic: string): Iterable<readonly [OffsetPlace, CommittedOffset]> {
    return this.#once(this.#committed.placesIn(topic), (table) => table.placesIn(topic))
  }

  /** What was committed, then what open transactions add to it. */
  *#once(
    committed: Iterable<readonly [OffsetPlace, CommittedOffset]>,
    pendingIn: (table: OffsetTable<PendingOffset>) => Iterable<readonly [OffsetPlace, PendingOffset]>,
  ): Generator<readonly [OffsetPlace, CommittedOffset]> {
    yield* committed
    const seen = new Set<string>()
    for (const table of this.#pending.values()) {
      for (const [place, { offset }] of pendingIn(table)) {
        const name = JSON.stringify([place.groupId, place.topic, place.partition])
        if (this.#committed.get(place) !== undefined || seen.has(name)) continue
        seen.add(name)
        yield [place, offset]
      }
    }
  }

  setPending(producerId: number, place: OffsetPlace, offset: CommittedOffset): void {
    let table = this.#pending.get(producerId)
    if (table === undefined) this.#pending.set(producerId, (table = new OffsetTable()))
    table.set(place, { offset, order: this.#nextOrder++, outdated: false })
  }

  /** Whether an open transaction may change this offset. */
  isPending(place: OffsetPlace): boolean {
    for (const table of this.#pending.values()) {
      if (table.get(place) !== undefined) return true
    }
    return false
  }

  hasPending(groupId: string): boolean {
    for (const table of this.#pending.values()) {
      if (table.of(groupId) !== undefined) return true
    }
    return false
  }

  endTransaction(producerId: number, committed: boolean): void {
    const table = this.#pending.get(producerId)
    if (table === undefined) return
    this.#pending.delete(producerId)
    if (!committed) return
    for (const [place, { offset, order, outdated }] of table.places()) {
      if (outdated) continue
      this.#committed.set(place, offset)
      this.#outdate(place, order)
    }
  }

  /** What was committed last counts, whichever transaction ends last. */
  #outdate(place: OffsetPlace, before: number): void {
    for (const table of this.#pending.values()) {
      const pending = table.get(place)
      if (pending !== undefined && pending.order < before) pending.outdated = true
    }
  }
}
