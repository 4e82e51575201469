// What is committed: whatever lies below a high watermark that any broker has shown. Every other broker that comes to show it shows the
// same batches; when it becomes committed, enough disks hold it for certain (`min.insync.replicas`), and those of the whole ISR.

import type { Offset } from '../../src/storage/partition-log.ts'
import { Violation } from '../contracts.ts'
import { partitionOf, type ReplicaRule, type ReplicaSight } from './replica-sight.ts'

export interface BatchSight {
  readonly baseOffset: Offset
  readonly nextOffset: Offset
  readonly leaderEpoch: number
  readonly crc: number
}

/** What lies on the disks of the machines, read past all faults. */
export interface LogsOnDisks {
  /** Whole batches in [from, to) as that machine's disk shows them; fewer when it has fewer. */
  batches(machine: number, name: string, from: Offset, to: Offset): readonly BatchSight[]
  /** To where the batches in [from, to) survive every crash of that machine. */
  durableTo(machine: number, name: string, from: Offset, to: Offset): Offset
  /** Machines that have a disk, and when it was last found as a crash left it, or exchanged: grows. */
  disks(): readonly { readonly machine: number; readonly found: number }[]
}

/** Who is in the ISR as the metadata has it now, and can be asked: without those that are just starting, perhaps on another disk. */
export type IsrMembers = (topicId: string, name: string) => readonly number[]

interface Committed {
  /** By base offset. */
  readonly batches: Map<Offset, BatchSight>
  end: Offset
  /** To where each machine's disk was seen to hold it for certain, as it was found then. */
  readonly durable: Map<number, { to: Offset; found: number }>
}

export class CommittedRecords implements ReplicaRule {
  readonly name = 'what is committed is kept'
  readonly #disks: LogsOnDisks
  readonly #isr: IsrMembers
  readonly #partitions = new Map<string, Committed>()
  /** Records were deleted from their front: where their replicas begin, and what of them is still there, is no rule's concern. */
  readonly #trimmed = new Set<string>()

  constructor(disks: LogsOnDisks, isr: IsrMembers) {
    this.#disks = disks
    this.#isr = isr
  }

  /** Offsets below it are committed; 0 when nothing is known. */
  endOf(topicId: string, name: string): Offset {
    return this.#partitions.get(partitionOf({ topicId, name }))?.end ?? 0
  }

  replicaChanged(now: ReplicaSight, before: ReplicaSight | null): void {
    if (!now.keepsBytes || !isServed(now)) return
    if (now.logStartOffset > 0) this.#trim(now)
    if (this.#trimmed.has(partitionOf(now))) return
    // While a broker starts nobody sees what it does: the high watermark it comes with may be news.
    const from = before === null || !isServed(before) ? now.logStartOffset : before.highWatermark
    if (now.highWatermark <= from) return
    const committed = this.#committed(now)
    const endBefore = committed.end
    this.#compare(now, from, committed)
    if (committed.end > endBefore && now.isFsynced) this.#checkDurable(now, committed)
  }

  /** The ISR of a partition has changed: whoever is in it has everything. */
  isrChanged(topicId: string, name: string): void {
    const committed = this.#partitions.get(partitionOf({ topicId, name }))
    if (committed !== undefined) this.#checkIsr(topicId, name, committed)
  }

  forget(topicId: string): void {
    for (const key of this.#partitions.keys()) if (key.startsWith(`${topicId} `)) this.#partitions.delete(key)
  }

  #trim(now: ReplicaSight): void {
    const key = partitionOf(now)
    this.#trimmed.add(key)
    this.#partitions.delete(key)
  }

  #committed(now: ReplicaSight): Committed {
    const key = partitionOf(now)
    let committed = this.#partitions.get(key)
    if (committed === undefined) {
      committed = { batches: new Map(), end: now.logStartOffset, durable: new Map() }
      this.#partitions.set(key, committed)
    }
    return committed
  }

  #compare({ machine, name, highWatermark }: ReplicaSight, from: Offset, committed: Committed): void {
    let end = from
    for (const batch of this.#disks.batches(machine, name, from, highWatermark)) {
      const { baseOffset, nextOffset } = batch
      const other = committed.batches.get(baseOffset)
      if (other === undefined ? baseOffset !== committed.end : !isSame(batch, other)) {
        throw new Violation(
          'logs agree below the high watermark',
          `broker ${machine} has ${shown(batch)} of ${name}, where ${other === undefined ? `the committed log ends at ${committed.end}` : `${shown(other)} is committed`}`,
        )
      }
      if (other === undefined) {
        committed.batches.set(baseOffset, batch)
        committed.end = nextOffset
      }
      end = nextOffset
    }
    if (end < highWatermark) {
      throw new Violation(
        this.name,
        `the disk of broker ${machine} shows ${name} to ${end}, its high watermark is ${highWatermark}`,
      )
    }
  }

  #checkDurable({ topicId, name, minInsyncReplicas }: ReplicaSight, committed: Committed): void {
    const disks = this.#disks.disks()
    const wanted = Math.min(minInsyncReplicas, disks.length)
    let copies = 0
    for (const { machine } of disks) if (this.#durableTo(machine, name, committed) >= committed.end) copies += 1
    if (copies < wanted) {
      throw new Violation(
        'what is committed is on enough disks',
        `${name} is committed to ${committed.end}, and that survives on ${copies} disks of ${wanted} that min.insync.replicas asks for`,
      )
    }
    this.#checkIsr(topicId, name, committed)
  }

  #checkIsr(topicId: string, name: string, committed: Committed): void {
    for (const machine of this.#isr(topicId, name)) {
      const to = this.#durableTo(machine, name, committed)
      if (to >= committed.end) continue
      throw new Violation(
        'who is in the ISR has all that is committed',
        `${name} is committed to ${committed.end}, and on the disk of broker ${machine}, a member of the ISR, to ${to}`,
      )
    }
  }

  #durableTo(machine: number, name: string, committed: Committed): Offset {
    const found = this.#disks.disks().find((disk) => disk.machine === machine)?.found ?? 0
    let known = committed.durable.get(machine)
    if (known === undefined || known.found !== found) {
      known = { to: committed.batches.keys().next().value ?? 0, found }
      committed.durable.set(machine, known)
    }
    if (known.to < committed.end) known.to = this.#sameTo(machine, name, known.to, committed)
    return known.to
  }

  /** Durable, and the same as is committed. */
  #sameTo(machine: number, name: string, from: Offset, committed: Committed): Offset {
    const to = this.#disks.durableTo(machine, name, from, committed.end)
    let end = from
    for (const batch of this.#disks.batches(machine, name, from, to)) {
      const other = committed.batches.get(batch.baseOffset)
      if (other === undefined || !isSame(batch, other)) return end
      end = batch.nextOffset
    }
    return end
  }
}

function isServed({ state }: ReplicaSight): boolean {
  return state === 'leading' || state === 'following'
}

function isSame(one: BatchSight, other: BatchSight): boolean {
  return (
    one.baseOffset === other.baseOffset &&
    one.nextOffset === other.nextOffset &&
    one.leaderEpoch === other.leaderEpoch &&
    one.crc === other.crc
  )
}

function shown({ baseOffset, nextOffset, leaderEpoch, crc }: BatchSight): string {
  return `[${baseOffset}, ${nextOffset}) of epoch ${leaderEpoch} with checksum ${crc.toString(16)}`
}
