// A group whose members join, leave, die, freeze, dawdle and change their minds while its topics grow and its coordinator moves. However
// that goes, no partition has two owners and no commit is lost; and when all is well again, the group settles in time. Then, one by one:
//   - its coordinator is moved to another broker, and a static member is restarted, and no other notices: nothing is rebalanced;
//   - a member comes, and those that keep their partitions are not stopped, where the protocol says so (KIP-429, KIP-848);
//   - a member dies just when the coordinator moves, and is missed.

import type { Millis } from '../../src/io/clock.ts'
import { javaHashPartition } from '../../src/lib/java-hash.ts'
import { Admin } from '../clients/admin.ts'
import { ClusterClient } from '../clients/cluster-client.ts'
import { Violation, type Workload, type World } from '../contracts.ts'
import { describe, type DescribedGroup, whatIsMissing } from './agreement.ts'
import { ClassicConsumer, type ClassicMode } from './classic-consumer.ts'
import { CommitHistory } from './commit-history.ts'
import { CoordinatorLine } from './coordinator-line.ts'
import { memberTiming } from './member.ts'
import { MemberSlot } from './member-slot.ts'
import { NewConsumer } from './new-consumer.ts'
import { Ownership } from './ownership.ts'

/** `consumer`: KIP-848. `mixed`: each consumer has that, or the classic protocol as the seed has it: the group goes from one to the other and back. */
export type GroupProtocol = ClassicMode | 'consumer' | 'mixed'

export interface GroupSettlingOptions {
  readonly world: World
  readonly group: string
  readonly protocol: GroupProtocol
  readonly members: number
  /** Of each of its two topics, to begin with. */
  readonly partitions: number
  readonly partitionsMax: number
  /** Between two things that befall a member. */
  readonly calmMsMax: Millis
}

/**
 * A group settles within this time once nothing befalls it any more: dead members have to be missed, slow ones to be waited for, and both
 * may come one after the other, in each of a few rebalances.
 */
export const settlesMsMax: Millis = 45_000

const isCooperative: Readonly<Record<GroupProtocol, boolean>> = {
  eager: false,
  cooperative: true,
  consumer: true,
  mixed: false,
}
const lookMs: Millis = 100
/** A KIP-848 group looks up new regular expressions no sooner than ten seconds after the last (as Kafka); then it reads more. */
const regexLookupMs: Millis = 12_000

export class GroupSettling implements Workload {
  readonly name: string
  readonly #options: GroupSettlingOptions
  readonly #topics: readonly string[]
  readonly #ownership: Ownership
  readonly #commits: CommitHistory
  readonly #client: ClusterClient
  readonly #admin: Admin
  readonly #line: CoordinatorLine
  readonly #slots: MemberSlot[]
  #growing: Promise<void> = Promise.resolve()
  #isEnding = false

  constructor(options: GroupSettlingOptions) {
    const { world, group, members } = options
    this.name = group
    this.#options = options
    this.#topics = [`${group}-a`, `${group}-b`]
    this.#ownership = new Ownership(group)
    this.#commits = new CommitHistory(group)
    this.#client = new ClusterClient({ world, name: `${group}-driver` })
    this.#admin = new Admin(this.#client)
    this.#line = new CoordinatorLine(this.#client, group)
    this.#slots = Array.from({ length: members }, (_, i) => this.#slot(i + 1))
  }

  async start(): Promise<void> {
    const { world, partitions } = this.#options
    const replicationFactor = Math.min(3, world.machines.length)
    for (const name of this.#topics) await this.#admin.ensureTopic({ name, partitions, replicationFactor })
    for (const slot of this.#slots) slot.begin()
    this.#growing = this.#grow()
  }

  async stop(): Promise<void> {
    const { world, protocol } = this.#options
    this.#isEnding = true
    await this.#growing
    for (const slot of this.#slots) slot.calmDown()
    const first = await this.#settled('after the faults')
    if (protocol === 'consumer' || protocol === 'mixed') {
      await this.#client.sleep(regexLookupMs)
      await this.#settled('after its regular expressions were looked up')
    }
    await this.#isNotNoticed('the coordinator moves', () => this.#moveCoordinator())
    const staticSlot = this.#slots.find(({ isStatic }) => isStatic)
    if (staticSlot !== undefined) {
      await this.#isNotNoticed(`${staticSlot.name} is restarted`, () => staticSlot.restart(), staticSlot)
    }
    const joinMs = await this.#addMember()
    const deathMs = await this.#loseMember()
    await Promise.all(this.#slots.map((slot) => slot.end()))
    this.#client.close()
    const { handovers } = this.#ownership
    const { commitsConfirmed } = this.#commits
    world.trace.add(
      this.name,
      `settled in ${first} ms, a member came in ${joinMs} and was missed in ${deathMs} ms, ${handovers} handovers, ${commitsConfirmed} commits, and all partitions have one owner`,
    )
  }

  async verify(): Promise<void> {}

  #slot(number: number): MemberSlot {
    const { world, group, protocol, calmMsMax } = this.#options
    return new MemberSlot({
      world,
      name: `${group}-${number}`,
      topics: this.#topics,
      staticKeepsTopics: protocol !== 'consumer',
      calmMsMax,
      start: (client, options) => {
        const common = { client, group, allTopics: this.#topics, ownership: this.#ownership, commits: this.#commits }
        const all = { ...common, ...options, isMixed: protocol === 'mixed' }
        const own = protocol === 'mixed' ? this.#oneOfBoth(options.instanceId ?? client.name) : protocol
        return own === 'consumer' ? new NewConsumer(all) : new ClassicConsumer(all, own)
      },
    })
  }

  /** Classic members of one group must agree. */
  #oneOfBoth(name: string): ClassicMode | 'consumer' {
    const { world, group } = this.#options
    const classic = world.random(`${group} classic`).pick(['eager', 'cooperative'] as const)
    return world.random(`${name} protocol`).pick([classic, 'consumer'])
  }

  async #grow(): Promise<void> {
    const { partitions, partitionsMax } = this.#options
    const { random } = this.#client
    for (let count = partitions; !this.#isEnding;) {
      await this.#client.sleep(2000 + random.below(10_000))
      if (this.#isEnding || count >= partitionsMax) continue
      count = Math.min(partitionsMax, count + 1 + random.below(4))
      await this.#admin.growTopic(random.pick(this.#topics), count)
    }
  }

  /** How long it took. Throws when it takes too long. */
  async #settled(when: string): Promise<Millis> {
    const { clock } = this.#options.world
    const from = clock.monotonic()
    for (;;) {
      const missing = await this.#missing()
      const tookMs = Math.round(clock.monotonic() - from)
      if (missing === null) return tookMs
      if (tookMs > settlesMsMax) {
        throw new Violation('a group settles', `${this.name} has not in ${settlesMsMax} ms ${when}: ${missing}`)
      }
      await this.#client.sleep(lookMs)
    }
  }

  async #missing(): Promise<string | null> {
    const said = await this.#described()
    const { image } = this.#options.world
    const views = this.#slots.flatMap(({ host }) => (host === null ? [] : [host.member.view]))
    const dead = this.#slots.length - views.length
    if (dead > 0) return `${dead} members have yet to start`
    const counts = new Map(
      this.#topics.map((topic) => [topic, image.topicsByName.get(topic)?.partitions.length ?? 0] as const),
    )
    return whatIsMissing(said, views, counts) ?? this.#ownership.doubt
  }

  #described(): Promise<DescribedGroup | string> {
    const { group, protocol } = this.#options
    return describe(this.#line, group, protocol === 'consumer' || protocol === 'mixed' ? protocol : 'classic')
  }

  /** Nobody but `self` is concerned, neither at once nor later. */
  async #isNotNoticed(what: string, happens: () => Promise<void>, self: MemberSlot | null = null): Promise<void> {
    const before = this.#asItIs(self)
    await happens()
    await this.#settled(`after ${what}`)
    // Long enough for whoever was forgotten to be missed.
    await this.#client.sleep(memberTiming.sessionTimeoutMs + 2 * memberTiming.heartbeatMs)
    await this.#settled(`long after ${what}`)
    const after = this.#asItIs(self)
    const changed = before.findIndex((line, i) => line !== after[i])
    if (changed < 0) return
    const contradiction = `${before[changed]}\n${after[changed]}, after ${what}`
    throw new Violation('a group that keeps its members is not rebalanced', contradiction)
  }

  /** In order, to another broker. */
  async #moveCoordinator(): Promise<void> {
    const { world, group } = this.#options
    const topic = '__consumer_offsets'
    const partitions = () => world.image.topicsByName.get(topic)?.partitions ?? []
    const index = javaHashPartition(group, partitions().length)
    const partition = () => partitions()[index]
    const replicas = partition()?.replicas ?? []
    const old = partition()?.leader
    const next = replicas.find((id) => id !== old)
    if (next === undefined) return
    world.trace.add(this.name, `its coordinator moves from ${old} to ${next}`)
    while (partition()?.leader !== next) {
      const order = [next, ...replicas.filter((id) => id !== next)]
      await this.#admin.reassign(topic, index, order)
      await this.#admin.electPreferred(topic, index)
      await this.#client.sleep(lookMs)
    }
  }

  /** Members, one line each: epochs and partitions, and how often each partition changed hands. */
  #asItIs(without: MemberSlot | null): string[] {
    return this.#slots.flatMap((slot) => {
      const view = slot.host?.member.view
      if (slot === without || view === undefined) return []
      const owned = [...view.owned].map((name) => `${name} (${this.#ownership.endsOf(name)})`)
      return [`${slot.name} in epoch ${view.epoch} with ${owned.join(', ')}`]
    })
  }

  /** How long it took until all had what they get then. */
  async #addMember(): Promise<Millis> {
    const { protocol } = this.#options
    const owned = () => new Map(this.#slots.map(({ name, host }) => [name, new Set(host?.member.view.owned)]))
    const before = owned()
    const ends = new Map(
      [...before.values()].flatMap((names) => [...names].map((name) => [name, this.#ownership.endsOf(name)])),
    )
    const slot = this.#slot(this.#slots.length + 1)
    this.#slots.push(slot)
    slot.begin()
    slot.calmDown()
    const tookMs = await this.#settled('after one more has come')
    if (!isCooperative[protocol]) return tookMs
    for (const [member, names] of owned()) {
      for (const name of names) {
        if (before.get(member)?.has(name) !== true || this.#ownership.endsOf(name) === ends.get(name)) continue
        throw new Violation(
          'who keeps a partition is not stopped',
          `${member} had ${name} and has it, but gave it up meanwhile`,
        )
      }
    }
    return tookMs
  }
  /** How long it took until others had its partitions. */
  async #loseMember(): Promise<Millis> {
    const { clock } = this.#options.world
    const from = clock.monotonic()
    this.#slots.pop()?.powerFails()
    await this.#moveCoordinator()
    await this.#settled('after one has died')
    return Math.round(clock.monotonic() - from)
  }
}
