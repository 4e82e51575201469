// Looks at every replica after every event, cheaply: only what has changed since is shown to the rules.

import type { Partition } from '../../src/replication/partition.ts'
import { type Invariant, Violation, type World } from '../contracts.ts'
import { CommittedRecords } from './committed-records.ts'
import { LogsOfMachines, type MachineWithDisk } from './logs-on-disks.ts'
import { MetadataTruth } from './metadata-truth.ts'
import { OffsetsInOrder } from './offsets-in-order.ts'
import { OneLeaderPerEpoch } from './one-leader-per-epoch.ts'
import type { ReplicaRule, ReplicaSight } from './replica-sight.ts'

interface MachineSeen {
  readonly machine: number
  /** Of the broker in it. */
  inside: object | null
  life: number
  replicas: Map<Partition, ReplicaSight>
}

export class Observer implements Invariant {
  readonly name = 'replicas'
  readonly committed: CommittedRecords
  readonly #world: World
  readonly #truth = new MetadataTruth()
  readonly #rules: readonly ReplicaRule[]
  readonly #seen = new Map<number, MachineSeen>()
  #isLooking = false

  constructor(world: World) {
    this.#world = world
    const machines: readonly MachineWithDisk[] = world.machines
    this.committed = new CommittedRecords(new LogsOfMachines(machines), (topicId, name) => this.#isr(topicId, name))
    this.#rules = [new OneLeaderPerEpoch(), new OffsetsInOrder(), this.committed]
  }

  check(world: World): void {
    this.#isLooking = true
    const changed: { id: string; name: string; partitions: number[] }[] = []
    this.#truth.check(world.image, ({ id, name, partitions }, before) => {
      const indexes = partitions
        .filter((one) => one.isr !== before?.partitions[one.index]?.isr)
        .map(({ index }) => index)
      changed.push({ id, name, partitions: indexes })
    })
    for (const machine of world.machines) if (machine.inside !== null) this.#look(machine.id, machine.inside)
    for (const { id, name, partitions } of changed) {
      for (const index of partitions) this.committed.isrChanged(id, `${name}-${index}`)
    }
  }

  /** An answer with acks=all has come for offsets below `end`. Nothing is known in a run without this rule. */
  acknowledged(topic: string, index: number, end: number): void {
    const topicId = this.#world.image.topicsByName.get(topic)?.id
    if (topicId === undefined || !this.#isLooking) return
    const committed = this.committed.endOf(topicId, `${topic}-${index}`)
    if (committed >= end) return
    throw new Violation(
      'acks=all is answered when it is committed',
      `${topic}-${index} is acknowledged to ${end}, and committed to ${committed}`,
    )
  }

  #look(machine: number, inside: NonNullable<World['machines'][number]['inside']>): void {
    let seen = this.#seen.get(machine)
    if (seen === undefined) this.#seen.set(machine, (seen = { machine, inside: null, life: 0, replicas: new Map() }))
    if (seen.inside !== inside) {
      seen.inside = inside
      seen.life += 1
      seen.replicas = new Map()
    }
    for (const partition of inside.replicas.all()) {
      const before = seen.replicas.get(partition) ?? null
      if (before !== null && isAsBefore(partition, before)) continue
      const now = sightOf(partition, machine, seen.life)
      seen.replicas.set(partition, now)
      if (partition.state === 'deleted' || partition.log === null) continue
      for (const rule of this.#rules) rule.replicaChanged(now, before)
    }
  }

  /** Those that do not start at the moment: who starts may have another disk, and leaves the ISR before it has started. */
  #isr(topicId: string, name: string): number[] {
    const index = Number(name.slice(name.lastIndexOf('-') + 1))
    const isr = this.#world.image.topicsById.get(topicId)?.partitions[index]?.isr ?? []
    return this.#world.machines.filter(({ id, state }) => isr.includes(id) && state !== 'starting').map(({ id }) => id)
  }
}

function isAsBefore(partition: Partition, before: ReplicaSight): boolean {
  return (
    partition.highWatermark === before.highWatermark &&
    partition.logEndOffset === before.logEndOffset &&
    partition.state === before.state &&
    partition.leaderEpoch === before.leaderEpoch &&
    partition.logStartOffset === before.logStartOffset
  )
}

function sightOf(partition: Partition, machine: number, life: number): ReplicaSight {
  const { topicId, name, state, leaderEpoch, logStartOffset, highWatermark, logEndOffset, settings } = partition
  return {
    machine,
    life,
    topicId,
    name,
    state,
    leaderEpoch,
    logStartOffset,
    highWatermark,
    logEndOffset,
    durableOffset: partition.log?.durableOffset ?? -1,
    minInsyncReplicas: settings.minInsyncReplicas,
    keepsBytes: !settings.log.compacts,
    isFsynced: settings.log.flushPolicy === 'fsync',
  }
}
