// Brokers die, come back, are cut off and leave, followers fall behind and catch up, reassignments begin and are cancelled, answers of the
// store are lost and writes apply late. After each event the rules of partitions hold; once all that stops, everything settles.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ClusterViewOfStore } from '../cluster-view.ts'
import { decodeDocument, encodeDocument, type PartitionDocument } from '../documents.ts'
import { brokerFence } from '../fence.ts'
import type { PartitionImage, TopicImage } from '../image.ts'
import { creationsPrefix, keyPrefix, liveKey, parseKey, partitionKey } from '../keys.ts'
import { knownOutcome } from '../known-outcome.ts'
import { noFaults } from '../meta-store.faulty.sim.ts'
import { PartitionAdmin } from '../partition-admin.ts'
import { partitionDocument } from '../partition-image.ts'
import { type RunningBroker, SeveralBrokers } from '../several-brokers.sim.ts'
import { newTopic } from '../small-cluster.sim.ts'
import type { NewTopic } from '../topic-admin.ts'
import { TopicGrowth } from '../topic-growth.ts'
import { isActive } from './attended-partition.ts'

const ids = [1, 2, 3, 4]

interface Event {
  readonly kind:
    | 'kill'
    | 'start'
    | 'startUnclean'
    | 'stop'
    | 'cutOff'
    | 'reconnect'
    | 'storeStands'
    | 'storeGoesOn'
    | 'createTopic'
    | 'deleteTopic'
    | 'grow'
    | 'catchUp'
    | 'fallBehind'
    | 'reassign'
    | 'cancel'
    | 'elect'
    | 'wait'
  readonly broker: number
  readonly partition: number
  readonly ms: number
}

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom(
    'kill',
    'start',
    'start',
    'startUnclean',
    'stop',
    'cutOff',
    'reconnect',
    'storeStands',
    'storeGoesOn',
    'createTopic',
    'createTopic',
    'deleteTopic',
    'grow',
    'catchUp',
    'catchUp',
    'fallBehind',
    'reassign',
    'cancel',
    'elect',
    'wait',
    'wait',
  ),
  broker: fc.constantFrom(...ids),
  partition: fc.nat(7),
  ms: fc.constantFrom(0, 10, 200, 3000, 10_000, 25_000),
})

/** Holds every state of every partition, in the order of the store, against the one before it. */
class Referee {
  readonly #partitions = new Map<string, PartitionDocument>()
  readonly #live = new Map<string, number>()
  /** By topic id, the count in force before `since` and from there on. Partitions beyond it are nobody's yet, and may be written anew. */
  readonly #counts = new Map<string, { readonly before: number; readonly now: number; readonly since: number }>()
  readonly unclean: boolean
  elections = 0

  constructor(brokers: SeveralBrokers, unclean: boolean) {
    this.unclean = unclean
    brokers.store.watch(keyPrefix, 1, {
      events: (batch) => {
        for (const { kind, entry } of batch) {
          const key = parseKey(entry.key)
          if (key.kind === 'live') {
            if (kind === 'put') this.#live.set(entry.key, entry.createRevision)
            else this.#live.delete(entry.key)
          } else if (key.kind === 'topic' && kind === 'put') {
            const { id, partitionCount } = decodeDocument('topic', entry.value)
            const before = this.#counts.get(id)?.now ?? 0
            this.#counts.set(id, { before, now: partitionCount, since: entry.modRevision })
          } else if (key.kind === 'partition' && kind === 'put') {
            const count = this.#counts.get(key.topicId)
            const counted = count === undefined ? 0 : entry.modRevision > count.since ? count.now : count.before
            this.#check(entry.key, decodeDocument('partition', entry.value), key.index < counted)
          }
        }
      },
      reset: () => assert.fail('the history is long enough'),
      stale: () => {},
    })
  }

  #check(key: string, now: PartitionDocument, isThere: boolean): void {
    const before = isThere ? this.#partitions.get(key) : undefined
    this.#partitions.set(key, now)
    const said = `${JSON.stringify(before)} -> ${JSON.stringify(now)}`
    assert.ok(
      now.isr.every((id) => now.replicas.includes(id)),
      `the ISR is part of the replicas: ${said}`,
    )
    assert.equal(new Set(now.replicas).size, now.replicas.length, said)
    assert.ok(
      (now.adding ?? []).every((id) => now.replicas.includes(id)),
      said,
    )
    assert.ok(
      (now.removing ?? []).every((id) => now.replicas.includes(id)),
      said,
    )
    assert.ok(now.leader === -1 || now.isr.includes(now.leader), `the leader is in sync: ${said}`)
    if (before === undefined) return
    assert.ok(now.isr.length > 0, `somebody is in sync: ${said}`)
    assert.equal(now.partitionEpoch, before.partitionEpoch + 1, `each change has an epoch: ${said}`)
    if (now.leader === before.leader) {
      assert.ok(now.leaderEpoch >= before.leaderEpoch, `leader epochs grow: ${said}`)
      return
    }
    assert.ok(now.leaderEpoch > before.leaderEpoch, `another leader has another epoch: ${said}`)
    if (now.leader === -1) return
    this.elections++
    assert.ok(this.#live.has(liveKey(now.leader)), `nobody is elected who is not there: ${said}`)
    if (!this.unclean) assert.ok(before.isr.includes(now.leader), `a leader had everything: ${said}`)
  }
}

/** What replication does: the leader of the partition, if it may, puts the follower into the ISR, or out of it. */
async function changeIsr(
  leader: RunningBroker,
  topic: TopicImage,
  index: number,
  follower: number,
  joins: boolean,
): Promise<void> {
  const { view, store, membership } = leader
  const partition = view.image.topicsById.get(topic.id)?.partitions[index]
  if (partition === undefined || partition.leader !== leader.id || !membership.valid()) return
  const there = view.image.brokers.get(follower)
  const { isr, replicas } = partition
  if (follower === leader.id || isr.includes(follower) === joins || !replicas.includes(follower)) return
  if (joins && (there === undefined || !isActive(view.image.brokers, follower))) return
  const key = partitionKey(topic.id, index)
  const document = partitionDocument({
    ...partition,
    isr: joins ? [...isr, follower] : isr.filter((id) => id !== follower),
    partitionEpoch: partition.partitionEpoch + 1,
  })
  const own = { key, modRevision: partition.revision }
  await knownOutcome(
    store.compareAndSwapMany(
      [membership.fence],
      [
        {
          guards: joins ? [own, { key: liveKey(follower), createRevision: there!.epoch }] : [own],
          writes: [{ kind: 'put', key, value: encodeDocument(document) }],
        },
      ],
    ),
  )
}

class Chaos {
  readonly brokers: SeveralBrokers
  readonly referee: Referee
  readonly #cutOff = new Set<number>()
  readonly #stopping = new Set<number>()
  #storeStands = false

  static async begin(seed: number, unclean: boolean): Promise<Chaos> {
    const settings = { 'unclean.leader.election.enable': String(unclean) }
    const brokers = await SeveralBrokers.create({ seed, settings })
    const referee = new Referee(brokers, unclean)
    for (const id of ids) await brokers.start(id)
    const topics = [
      newTopic('three', { partitions: 4, replicationFactor: 3 }),
      newTopic('two', { partitions: 3, replicationFactor: 2 }),
      newTopic('one', { partitions: 1, replicationFactor: 1 }),
    ]
    const [first] = brokers.running.values()
    await brokers.finish(first!.topics.create(topics, { validateOnly: false }))
    for (const { store } of brokers.running.values()) store.faults = faults
    return new Chaos(brokers, referee)
  }

  private constructor(brokers: SeveralBrokers, referee: Referee) {
    this.brokers = brokers
    this.referee = referee
  }

  partitions(): { topic: TopicImage; partition: PartitionImage }[] {
    const { topicsByName } = this.brokers.view.image
    return [...topicsByName.values()].flatMap((topic) => topic.partitions.map((partition) => ({ topic, partition })))
  }

  async apply({ kind, broker, partition: position, ms }: Event): Promise<void> {
    const { brokers } = this
    const running = brokers.running.get(broker)
    const { topic, partition } = this.partitions()[position]!
    switch (kind) {
      case 'kill':
        if (running !== undefined && !this.#stopping.has(broker)) {
          brokers.kill(broker)
          this.#cutOff.delete(broker)
        }
        break
      case 'start':
      case 'startUnclean':
        if (running === undefined && !this.#stopping.has(broker) && !this.#storeStands) {
          const { store } = await brokers.begin(broker, { clean: kind === 'start' })
          store.faults = faults
        }
        break
      case 'stop':
        if (running !== undefined && !this.#cutOff.has(broker)) await this.#stop(broker, running)
        break
      case 'cutOff':
        running?.store.cutOff()
        if (running !== undefined) this.#cutOff.add(broker)
        break
      case 'reconnect':
        if (!this.#storeStands) this.#reconnect(broker)
        break
      case 'storeStands':
        this.#storeStands = true
        for (const { id, store } of brokers.running.values()) if (!this.#cutOff.has(id)) store.standStill()
        break
      case 'storeGoesOn':
        this.#storeGoesOn(ms)
        break
      case 'catchUp':
      case 'fallBehind': {
        const leader = brokers.running.get(partition.leader)
        if (leader === undefined) break
        this.#unattended(changeIsr(leader, topic, partition.index, broker, kind === 'catchUp'))
        break
      }
      case 'reassign':
      case 'cancel':
        if (running === undefined) break
        this.#unattended(
          this.#admin(running).reassign(
            [
              {
                topic: topic.name,
                index: partition.index,
                replicas: kind === 'cancel' ? null : this.#otherReplicas(partition),
              },
            ],
            { allowReplicationFactorChange: true },
          ),
        )
        break
      case 'elect':
        if (running === undefined) break
        this.#unattended(this.#admin(running).elect([{ topic: topic.name, index: partition.index }], 'preferred'))
        break
      case 'createTopic':
        if (running === undefined) break
        this.#unattended(running.topics.create([passing(position)], { validateOnly: false }))
        break
      case 'deleteTopic': {
        const passed = running?.view.image.topicsByName.get(passing(position).name)
        if (passed !== undefined) this.#unattended(running!.topics.delete(passed.id))
        break
      }
      case 'grow': {
        if (running === undefined) break
        const { name, partitions } = passing(position)
        const grown = { name, count: 2 * partitions, assignments: null }
        this.#unattended(this.#growth(running).grow([grown], { validateOnly: false }))
        break
      }
      case 'wait':
        await brokers.clock.advance(ms)
    }
    await brokers.clock.advance(1)
  }

  /** Nothing goes wrong any more. Within two sessions those that are there have taken over what they can. */
  async heal(): Promise<void> {
    const { brokers } = this
    this.#storeGoesOn(500)
    // A folder is one process's at a time.
    await brokers.clock.advanceUntil(() => this.#stopping.size === 0)
    for (const id of ids) {
      this.#reconnect(id)
      const running = brokers.running.get(id)
      if (running !== undefined) running.store.faults = noFaults
    }
    await brokers.clock.advance(40_000)
    const live = brokers.view.image.brokers
    if (live.size === 0) return
    const inOffice = [...brokers.running.values()].filter(({ membership }) => membership.isController)
    assert.deepEqual(
      inOffice.map(({ id }) => id),
      [brokers.view.image.controllerId],
      'one broker is in office, and all know who',
    )
    for (const { partition } of this.partitions()) {
      const inSync = partition.isr.filter((id) => live.has(id))
      const said = `${JSON.stringify(partition)} with ${[...live.keys()].join()}`
      assert.equal(
        partition.leader !== -1,
        inSync.length > 0 || (this.referee.unclean && partition.replicas.some((id) => live.has(id))),
        said,
      )
      if (partition.leader !== -1) assert.deepEqual(inSync, partition.isr, said)
    }
  }

  /** Everybody is there and hears everything; followers catch up. Then all is well within two minutes. */
  async settle(): Promise<void> {
    const { brokers } = this
    for (let round = 0; round < 120; round++) {
      for (const id of ids) if (!brokers.running.has(id)) await brokers.begin(id)
      for (const { topic, partition } of this.partitions()) {
        const leader = brokers.running.get(partition.leader)
        if (leader === undefined) continue
        for (const follower of partition.replicas) {
          await changeIsr(leader, topic, partition.index, follower, true)
        }
      }
      await brokers.clock.advance(1000)
      if (this.partitions().every(({ partition }) => isWell(partition))) return
    }
    assert.deepEqual(
      this.partitions()
        .map(({ partition }) => partition)
        .filter((partition) => !isWell(partition)),
      [],
    )
  }

  /** Nothing is left of topics that are not there, and all see the same. */
  async isTidy(): Promise<void> {
    const { brokers } = this
    // So long may a creation take, and so often is it looked for what is left of one.
    await brokers.clock.advance(600_000)
    const { entries } = await brokers.store.list(keyPrefix)
    const { topicsById } = brokers.view.image
    for (const { key } of entries) {
      const parsed = parseKey(key)
      if (parsed.kind === 'partition') assert.ok(topicsById.has(parsed.topicId), key)
      assert.ok(!key.startsWith(creationsPrefix), key)
    }
    const late = await ClusterViewOfStore.open({ store: brokers.store, onFault: (error) => assert.fail(String(error)) })
    for (const { view, id } of brokers.running.values()) {
      const { topicsById: seen, brokers: there, controllerId } = view.image
      assert.deepEqual(
        [new Map(seen), there, controllerId],
        [new Map(late.image.topicsById), late.image.brokers, late.image.controllerId],
        `what broker ${id} sees`,
      )
    }
    late.close()
  }

  #otherReplicas({ replicas }: PartitionImage): number[] {
    const shuffled = [...ids]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.brokers.random.below(i + 1)
      ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
    }
    return shuffled.slice(0, Math.min(3, replicas.length))
  }

  #growth({ view, store, membership, id }: RunningBroker): TopicGrowth {
    const { clock, random } = this.brokers
    return new TopicGrowth({ store, view, membership, brokerId: id, clock, random, served: async () => {} })
  }

  #admin({ view, store, membership, id }: RunningBroker): PartitionAdmin {
    const { clock, settings } = this.brokers
    return new PartitionAdmin({ store, view, settings, membership, brokerId: id, clock })
  }

  async #stop(id: number, { membership, store }: RunningBroker): Promise<void> {
    if (brokerFence(this.brokers.view, id) === null) return
    this.#stopping.add(id)
    this.brokers.running.delete(id)
    const gone = membership.leave(5000).then(() => membership.stop())
    const end = () => {
      this.#stopping.delete(id)
      store.kill()
    }
    gone.then(end, end)
  }

  #storeGoesOn(renewalMs: number): void {
    if (!this.#storeStands) return
    this.#storeStands = false
    for (const { id, store } of this.brokers.running.values()) {
      if (!this.#cutOff.has(id)) store.goOn(Math.min(renewalMs, 2000))
    }
  }

  #reconnect(id: number): void {
    if (this.#cutOff.delete(id)) this.brokers.running.get(id)?.store.reconnect()
  }

  /** Where the broker dies meanwhile, nothing comes of it. */
  #unattended(work: Promise<unknown>): void {
    work.catch(() => {})
  }
}

/** Topics that come and go; one of them is too large to be created at once. */
function passing(position: number): NewTopic {
  return newTopic(`passing-${position % 2}`, { partitions: position % 2 === 0 ? 130 : 2, replicationFactor: 2 })
}

function isWell({ leader, isr, replicas, adding, removing }: PartitionImage): boolean {
  return leader !== -1 && isr.length === replicas.length && adding.length === 0 && removing.length === 0
}

const faults = { lostBefore: 4, lostAfter: 6, late: 4, lateMsMax: 20_000, watchLagMsMax: 50 }

for (const unclean of [false, true]) {
  test(`whatever happens, partitions keep to their rules, and all is well in the end${unclean ? ', with unclean elections' : ''}`, async () => {
    let elections = 0
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1_000_000),
        fc.array(event, { minLength: 20, maxLength: 120, size: 'max' }),
        async (seed, events) => {
          const chaos = await Chaos.begin(seed, unclean)
          for (const one of events) await chaos.apply(one)
          await chaos.heal()
          await chaos.settle()
          await chaos.isTidy()
          elections += chaos.referee.elections
        },
      ),
      { endOnFailure: true, numRuns: Number(process.env['CHAOS_RUNS'] ?? 12) },
    )
    assert.ok(elections > 20, `${elections} elections show little`)
  })
}
