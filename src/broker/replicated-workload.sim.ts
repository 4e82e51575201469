// Random life of replicating brokers: appends, deletions, crashes, cuts, elections, lost leases, full disks. One seed is one run. After every step what was
// promised must hold; once the faults stop everything settles.

import assert from 'node:assert/strict'
import { noFaults } from '../cluster/meta-store.faulty.sim.ts'
import type { SeededRandom } from '../io/random.sim.ts'
import { baseOffsetOf, nextOffsetOf } from '../records/batch.ts'
import { recordsOf } from '../records/record.ts'
import type { Offset } from '../storage/partition-log.ts'
import { batchesOf, type ReplicatedBroker, World } from './replicated-brokers.sim.ts'

export class ReplicatedWorkload {
  readonly world: World
  readonly #random: SeededRandom
  /** Values that were committed, by their offset. */
  readonly #acknowledged = new Map<Offset, string>()
  /** What consumers may have read: bytes of batches below a high watermark, by base offset. */
  readonly #seen = new Map<Offset, Uint8Array>()
  readonly #cuts = new Set<string>()
  readonly #armed: { cancel(): void }[] = []
  /** What lies below may be gone: it was asked for. */
  #deletedTo: Offset = 0
  #next = 0
  readonly #steps: string[] = []

  private constructor(world: World) {
    this.world = world
    this.#random = world.random
  }

  static async start(seed: number): Promise<ReplicatedWorkload> {
    const settings = { 'replica.fetch.max.bytes': String([300, 2000, 1_048_576][seed % 3]) }
    const configs = { 'min.insync.replicas': String(1 + (seed % 2)), 'segment.bytes': '1048576' }
    const storeFaults = { lostBefore: 10, lostAfter: 10, late: 10, lateMsMax: 3000, watchLagMsMax: 300 }
    const world = await World.start({ seed, syncMsMax: [0.1, 4, 20][seed % 3]!, settings, configs, storeFaults })
    return new ReplicatedWorkload(world)
  }

  /** What happened, for people. */
  get story(): string {
    return this.#steps.join('\n')
  }

  async step(): Promise<void> {
    const random = this.#random
    const { world } = this
    const kind = random.below(100)
    if (kind < 45) this.#append()
    else if (kind < 52) await this.#crash()
    else if (kind < 62) await this.#boot()
    else if (kind < 70) this.#cut()
    else if (kind < 78) this.#heal()
    else if (kind < 84) await this.#elect()
    else if (kind < 87) this.#loseLease()
    else if (kind < 90) this.#reset()
    else if (kind < 93) this.#cutStore()
    else if (kind < 95) this.#deleteRecords()
    else if (kind < 96) this.#fillDisk()
    await world.run(random.pick([0, 1, 5, 20, 100, 700]))
    await world.drive(this.check())
  }

  /** Faults end; all comes back, and agrees. */
  async settle(): Promise<void> {
    const { world } = this
    this.#say('the faults end')
    for (const fault of this.#armed) fault.cancel()
    for (const cut of this.#cuts) world.network.heal(...(cut.split(' ') as [string, string]))
    for (const broker of world.alive) {
      broker.leaseHolds = true
      broker.store.reconnect()
      broker.store.faults = noFaults
    }
    this.world.storeFaults = noFaults
    for (const { id, partition } of world.alive) if (partition.state === 'offline') world.crash(id, false)
    for (const [id, broker] of world.brokers) if (!broker.isAlive) await world.boot(id)
    await world.attend()
    await world.until(() => world.settled() && world.image.isr.length === world.brokers.size, 60_000)
    const { logStartOffset } = world.leader!.partition
    await world.until(() => world.alive.every(({ partition }) => partition.logStartOffset >= logStartOffset), 60_000)
    await world.drive(this.check())
    const values = await valuesOf(world.leader!)
    for (const [offset, value] of this.#acknowledged) {
      if (offset < this.#deletedTo) continue
      assert.equal(values.get(offset), value, `offset ${offset} was acknowledged as ${value}`)
    }
    for (const { partition } of world.alive) {
      const same = [...(await valuesOf({ partition }))].filter(([offset]) => values.has(offset))
      const from = Math.max(logStartOffset, partition.logStartOffset)
      assert.deepEqual(
        same.filter(([offset]) => offset >= from),
        [...values].filter(([offset]) => offset >= from),
      )
    }
  }

  async check(): Promise<void> {
    const { world } = this
    for (const broker of world.alive) await this.#checkSeen(broker)
    const { leader } = world
    if (leader === undefined || leader.partition.leaderEpoch !== world.image.leaderEpoch) return
    const { highWatermark } = leader.partition
    for (const id of world.image.isr) {
      const member = world.brokers.get(id)!
      if (!member.isAlive || member.partition.log === null) continue
      const { durableOffset } = member.partition.log
      assert.ok(durableOffset >= highWatermark, `${id} is in sync, ends at ${durableOffset}, below ${highWatermark}`)
    }
    const end = leader.partition.logEndOffset
    for (const offset of this.#acknowledged.keys()) {
      assert.ok(offset < end, `the leader ends at ${end}, and ${offset} was acknowledged`)
    }
  }

  /** Below a high watermark nothing ever changes, at whichever broker. */
  async #checkSeen({ id, partition }: ReplicatedBroker): Promise<void> {
    if (partition.log === null || partition.log.fault !== null) return
    for (const batch of await batchesOf(partition, partition.highWatermark)) {
      if (nextOffsetOf(batch) > partition.highWatermark) break
      const offset = baseOffsetOf(batch)
      const seen = this.#seen.get(offset)
      if (seen === undefined) this.#seen.set(offset, Buffer.from(batch))
      else assert.ok(Buffer.from(batch).equals(Buffer.from(seen)), `broker ${id} shows something else at ${offset}`)
    }
  }

  #append(): void {
    // Also at a broker that leads no more and has not heard of it.
    const leading = this.world.alive.filter(({ partition }) => partition.isLeading)
    if (leading.length === 0) return
    const broker = this.#random.pick(leading)
    const { partition } = broker
    if (!partition.hasEnoughReplicas) return
    for (let i = this.#random.below(4); i >= 0; i--) {
      const value = `${this.#next++} ${'x'.repeat(this.#random.below(200))}`
      const before = Array.from({ length: this.#random.chance(0.2) ? 3 : 0 }, (_, at) => `${value} ${at}`)
      const end = this.world.append(broker, ...before, value)
      if (end === null) return
      partition.committed(end).then(
        () => {
          // As the produce handler says it.
          if (partition.hasEnoughReplicas && broker.isAlive) this.#acknowledged.set(end - 1, value)
        },
        () => undefined,
      )
    }
    this.#say(`append at ${broker.id} to ${partition.logEndOffset}`)
  }

  #deleteRecords(): void {
    const leading = this.world.alive.filter(({ partition }) => partition.isLeading)
    if (leading.length === 0) return
    const { id, partition } = this.#random.pick(leading)
    const { logStartOffset, highWatermark } = partition
    if (highWatermark <= logStartOffset) return
    const to = logStartOffset + 1 + this.#random.below(highWatermark - logStartOffset)
    this.#deletedTo = Math.max(this.#deletedTo, to)
    this.#say(`delete records at ${id} below ${to}`)
    partition.deleteRecords(to).catch(() => undefined)
  }

  /** Once: for what is written next, or for what was written and is to be synced. */
  #fillDisk(): void {
    const { alive } = this.world
    if (alive.length === 0) return
    const { id, disk } = this.#random.pick(alive)
    const kind = this.#random.pick(['write', 'sync'] as const)
    this.#say(`no room at ${id} to ${kind}`)
    this.#armed.push(disk.failWhen({ kind, path: '.log', code: 'ENOSPC' }))
  }

  async #crash(): Promise<void> {
    const { alive } = this.world
    if (alive.length === 0) return
    const { id } = this.#random.pick(alive)
    const power = this.#random.chance(0.6)
    this.#say(`${power ? 'power fails at' : 'kill'} ${id}`)
    this.world.crash(id, power)
    // The cluster hears of it later, or when it comes back.
    if (this.#random.chance(0.7)) {
      await this.world.run(this.#random.pick([0, 50, 800]))
      await this.world.bury(id)
    }
  }

  async #boot(): Promise<void> {
    const dead = [...this.world.brokers.values()].filter(({ isAlive }) => !isAlive)
    if (dead.length === 0) return
    const { id } = this.#random.pick(dead)
    this.#say(`boot ${id}`)
    await this.world.boot(id)
  }

  #cut(): void {
    const [one, other] = this.#pair()
    this.#cuts.add(`${one} ${other}`)
    const oneWay = this.#random.chance(0.4)
    this.#say(`cut ${one} ${other}${oneWay ? ' one way' : ''}`)
    if (oneWay) this.world.network.cutOneWay(one, other)
    else this.world.network.cut(one, other)
  }

  #heal(): void {
    const cuts = [...this.#cuts]
    if (cuts.length === 0) return
    const cut = this.#random.pick(cuts)
    this.#cuts.delete(cut)
    this.#say(`heal ${cut}`)
    this.world.network.heal(...(cut.split(' ') as [string, string]))
  }

  #reset(): void {
    const [one, other] = this.#pair()
    this.#say(`reset ${one} ${other}`)
    this.world.network.reset(one, other)
  }

  /** Another member of the ISR leads: what controlled moves and preferred elections come to. */
  async #elect(): Promise<void> {
    const { world } = this
    const able = world.image.isr.filter((id) => world.view.image.brokers.has(id))
    if (able.length === 0) return
    const id = this.#random.pick(able)
    this.#say(`elect ${id}`)
    await world.elect(id)
  }

  #cutStore(): void {
    const { alive } = this.world
    if (alive.length === 0) return
    const { id, store } = this.#random.pick(alive)
    const cut = this.#random.chance(0.5)
    this.#say(`${id} ${cut ? 'cannot reach' : 'reaches'} the metadata`)
    if (cut) store.cutOff()
    else store.reconnect()
  }

  #loseLease(): void {
    const { alive } = this.world
    if (alive.length === 0) return
    const broker = this.#random.pick(alive)
    broker.leaseHolds = !broker.leaseHolds
    this.#say(`the lease of ${broker.id} ${broker.leaseHolds ? 'holds' : 'is lost'}`)
  }

  #pair(): [string, string] {
    const one = 1 + this.#random.below(3)
    const other = 1 + ((one + this.#random.below(2)) % 3)
    return [`broker-${one}`, `broker-${other}`]
  }

  #say(step: string): void {
    const { isr, leader, leaderEpoch } = this.world.image
    this.#steps.push(
      `${this.world.clock.monotonic().toFixed(1)} [leader ${leader} epoch ${leaderEpoch} isr ${isr.join(',')}] ${step}`,
    )
  }
}

async function valuesOf({ partition }: Pick<ReplicatedBroker, 'partition'>): Promise<Map<Offset, string>> {
  const values = new Map<Offset, string>()
  for (const batch of await batchesOf(partition, partition.logEndOffset)) {
    for (const { offset, value } of recordsOf(batch)) values.set(offset, Buffer.from(value!).toString())
  }
  return values
}
