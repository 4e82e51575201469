// KIP-848 groups under members that come, go, crash, dawdle and lose answers, while topics grow and coordinators are replaced: what must
// hold whatever happens.

import assert from 'node:assert/strict'
import test from 'node:test'

import * as fc from 'fast-check'

import { ErrorCode } from '../../../protocol/error-code.ts'
import type { GroupRecord } from '../group-record.ts'
import { ConsumerGroupTester, type HeartbeatOptions, type Partitions } from './consumer-group-tester.sim.ts'

type Act =
  /** Sends a heartbeat, as a client does now; `heard`: the answer arrives. */
  | { readonly act: 'beat'; readonly who: number; readonly heard: boolean; readonly full: boolean }
  /** Does what it was last told: gives up, then takes. */
  | { readonly act: 'reconcile' | 'leave' | 'crash' | 'commit'; readonly who: number }
  | { readonly act: 'subscribe'; readonly who: number; readonly wish: number }
  | { readonly act: 'grow'; readonly topic: 0 | 1; readonly by: number }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'restart' }

const clients = 6
/** The last two are static members. */
const staticClients = 2
const topics = ['orders', 'payments'] as const
const wishes: readonly HeartbeatOptions[] = [
  { topics: ['orders'], regex: '' },
  { topics: ['orders', 'payments'], regex: '' },
  { topics: ['payments'], regex: '' },
  { topics: [], regex: 'orders|pay.*' },
]
const rebalanceTimeoutMs = 20_000
const { NONE } = ErrorCode

const who = fc.nat({ max: clients - 1 })
const act = <Name extends string>(name: Name) => fc.constant(name)
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      act: act('beat'),
      who,
      heard: fc.constantFrom(true, true, true, true, false),
      full: fc.boolean(),
    }),
  },
  { weight: 16, arbitrary: fc.record({ act: act('reconcile'), who }) },
  { weight: 6, arbitrary: fc.record({ act: act('commit'), who }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('leave' as const, 'crash' as const), who }) },
  { weight: 2, arbitrary: fc.record({ act: act('subscribe'), who, wish: fc.nat({ max: wishes.length - 1 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      act: act('grow'),
      topic: fc.constantFrom(0 as const, 1 as const),
      by: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ act: act('wait'), ms: fc.constantFrom(0, 500, 5_000, 15_000, 30_000) }) },
  { weight: 1, arbitrary: fc.constant({ act: 'restart' as const }) },
)
const scripts = fc.array(acts, { minLength: 40, maxLength: 160 })

class Client {
  readonly instance: string | null
  memberId: string
  epoch = 0
  owned = new Set<string>()
  target: ReadonlySet<string> | null = null
  wish = 0
  /** It must say everything: it joins, or does not know what became of its last heartbeat. */
  mustSayAll = true
  readonly positions = new Map<string, number>()
  #lives = 1
  readonly #number: number

  constructor(number: number) {
    this.#number = number
    this.instance = number < clients - staticClients ? null : `instance-${number}`
    this.memberId = `client-${number}-1`
  }

  /** Another process, which knows nothing of the last one. */
  startAgain(): void {
    this.#lives += 1
    this.memberId = `client-${this.#number}-${this.#lives}`
    this.isOut()
  }

  isOut(): void {
    this.epoch = 0
    this.owned = new Set()
    this.target = null
    this.mustSayAll = true
    this.positions.clear()
  }
}

class World {
  readonly group = new ConsumerGroupTester()
  readonly clients = Array.from({ length: clients }, (_, i) => new Client(i))
  readonly #counts = [3, 2]
  readonly #committed = new Map<string, number>()
  readonly #targets = new Map<string, ReadonlySet<string>>()
  readonly #subscribed = new Map<string, { readonly topics: readonly string[]; readonly regex: string | null }>()
  readonly #assigned = new Map<string, ReadonlySet<string>>()
  #recordsSeen = 0

  constructor() {
    topics.forEach((name, i) => this.group.topic(name, this.#counts[i]!))
  }

  run(next: Act): void {
    const { group } = this
    switch (next.act) {
      case 'beat':
        this.beat(this.clients[next.who]!, next)
        break
      case 'reconcile':
        this.reconcile(this.clients[next.who]!)
        break
      case 'commit':
        this.#commit(this.clients[next.who]!)
        break
      case 'leave':
        this.#leave(this.clients[next.who]!)
        break
      case 'crash':
        this.clients[next.who]!.startAgain()
        break
      case 'subscribe': {
        const client = this.clients[next.who]!
        client.wish = next.wish
        client.mustSayAll = true
        break
      }
      case 'grow':
        this.#counts[next.topic]! += next.by
        group.topic(topics[next.topic], this.#counts[next.topic]!)
        break
      case 'wait':
        group.advance(next.ms)
        break
      case 'restart':
        this.#restart()
    }
    this.#check()
  }

  beat(client: Client, { heard, full }: { readonly heard: boolean; readonly full: boolean }): void {
    const { memberId: member, epoch, instance } = client
    const all = { ...wishes[client.wish]!, rebalanceTimeoutMs }
    const owned = epoch === 0 ? {} : byTopic(client.owned)
    const saysAll = client.mustSayAll || full
    const answer = this.group.beat(saysAll ? { member, epoch, instance, owned, ...all } : { member, epoch, instance })
    if (!heard) {
      client.mustSayAll = true
      // It may be outdated: what the client has not taken yet, the group may have given to others upon this heartbeat.
      client.target = null
      return
    }
    if (answer.errorCode === ErrorCode.UNRELEASED_INSTANCE_ID) return
    if (answer.errorCode !== NONE) {
      if (answer.errorCode === ErrorCode.FENCED_INSTANCE_ID) client.startAgain()
      else client.isOut()
      return
    }
    assert.ok(answer.memberEpoch >= epoch && answer.memberEpoch > 0, `epoch ${epoch} became ${answer.memberEpoch}`)
    client.epoch = answer.memberEpoch
    client.mustSayAll = false
    if (answer.assignment !== null) client.target = new Set(namesOf(answer.assignment))
  }

  reconcile(client: Client): void {
    if (client.target === null) return
    for (const name of client.owned) if (!client.target.has(name)) client.positions.delete(name)
    for (const name of client.target) if (!client.owned.has(name)) client.positions.set(name, this.#fetched(name))
    client.owned = new Set(client.target)
    client.target = null
    client.mustSayAll = true
  }

  /** Everybody does what it should, for long enough. */
  settle(): void {
    for (let round = 0; round < 40; round++) {
      for (const client of this.clients) {
        this.beat(client, { heard: true, full: false })
        this.reconcile(client)
        this.#check()
      }
      this.group.advance(5_000)
    }
    const described = this.group.describeConsumers()
    assert.equal(described.groupState, 'Stable')
    assert.equal(described.members.length, clients, 'who is gone is out, and who is there is in')
    const owned = this.clients.flatMap((client) => [...client.owned])
    assert.equal(new Set(owned).size, owned.length)
    const read = new Set(this.clients.flatMap(({ wish }) => (wish === 0 ? [0] : wish === 2 ? [1] : [0, 1])))
    const expected = [...read].flatMap((i) => Array.from({ length: this.#counts[i]! }, (_, p) => `${topics[i]}-${p}`))
    assert.deepEqual(owned.toSorted(), expected.toSorted(), 'every partition that somebody reads is owned')
    for (const { memberId, owned: own } of this.clients) {
      const { has, target } = this.group.holdings[memberId]!
      assert.deepEqual(namesOf(has).toSorted(), [...own].toSorted())
      assert.deepEqual(namesOf(target).toSorted(), [...own].toSorted())
    }
  }

  #fetched(name: string): number {
    const [topic, partition] = placeOf(name)
    const { committedOffset } = this.group.fetch({ topic, partition })
    assert.equal(committedOffset, this.#committed.get(name) ?? -1, `what was committed of ${name}`)
    return Math.max(0, committedOffset)
  }

  #commit(client: Client): void {
    const { memberId, epoch, instance: instanceId } = client
    if (epoch === 0) return
    for (const name of client.owned) {
      const [topic, partition] = placeOf(name)
      const position = client.positions.get(name)! + 1
      const code = this.group.commit(position, { memberId, generation: epoch, instanceId, topic, partition })
      if (code !== NONE) continue
      const last = this.#committed.get(name) ?? -1
      assert.ok(position > last, `${memberId} commits ${position} of ${name} after ${last}`)
      this.#committed.set(name, position)
      client.positions.set(name, position)
    }
  }

  #leave(client: Client): void {
    const { memberId: member, instance, epoch } = client
    if (epoch > 0) this.group.beat({ member, instance, epoch: instance === null ? -1 : -2 })
    client.startAgain()
  }

  #restart(): void {
    const before = this.group.describeConsumers()
    this.group.restart()
    assert.deepEqual(this.group.describeConsumers(), before, 'what the log remembers is all there is to a group')
  }

  #check(): void {
    const { group } = this
    const known = new Set(group.describeConsumers().members.map(({ memberId }) => memberId))
    const owners = new Map<string, string>()
    for (const { memberId, owned } of this.clients) {
      if (!known.has(memberId)) continue
      for (const name of owned) {
        assert.equal(owners.get(name), undefined, `${name} belongs to ${owners.get(name)} and ${memberId}`)
        owners.set(name, memberId)
      }
    }
    for (; this.#recordsSeen < group.records.length; this.#recordsSeen++) this.#seen(group.records[this.#recordsSeen]!)
  }

  /** Nobody has to give up what it is meant to have, and still reads. */
  #seen(record: GroupRecord): void {
    if (record.kind === 'consumerMember') {
      const { value, memberId } = record
      if (value === null) this.#subscribed.delete(memberId)
      else this.#subscribed.set(memberId, { topics: value.subscribedTopicNames, regex: value.subscribedTopicRegex })
    } else if (record.kind === 'consumerTarget') {
      const { value, memberId } = record
      if (value === null) this.#targets.delete(memberId)
      else this.#targets.set(memberId, new Set(this.#named(value)))
    } else if (record.kind === 'consumerAssignment') {
      const { value, memberId } = record
      const before = this.#assigned.get(memberId) ?? new Set()
      if (value === null || value.memberEpoch < 0) {
        this.#assigned.delete(memberId)
        return
      }
      const now = new Set(this.#named(value.assignedPartitions))
      this.#assigned.set(memberId, now)
      const subscribed = this.#subscribed.get(memberId)
      for (const name of before) {
        if (now.has(name) || this.#targets.get(memberId)?.has(name) !== true) continue
        const reads = (subscribed?.regex ?? '') !== '' || subscribed?.topics.includes(placeOf(name)[0]) === true
        assert.ok(!reads, `${memberId} has to give up ${name}, which it is meant to have`)
      }
    }
  }

  #named(partitions: ReadonlyMap<string, Iterable<number> | ReadonlyMap<number, unknown>>): string[] {
    return [...partitions].flatMap(([topicId, list]) => {
      const numbers = list instanceof Map ? list.keys() : (list as Iterable<number>)
      return Array.from(numbers, (partition) => `${this.group.topics.byId(topicId)!.name}-${partition}`)
    })
  }
}

function placeOf(name: string): readonly [topic: string, partition: number] {
  const [topic, partition] = name.split('-') as [string, string]
  return [topic, Number(partition)]
}

function byTopic(names: Iterable<string>): Partitions {
  const grouped: Record<string, number[]> = {}
  for (const [topic, partition] of Array.from(names, placeOf)) (grouped[topic] ??= []).push(partition)
  return grouped
}

function namesOf(partitions: Partitions): string[] {
  return Object.entries(partitions).flatMap(([topic, list]) => list.map((partition) => `${topic}-${partition}`))
}

test('no partition has two owners, nobody is stopped for nothing, and in the end every partition is owned', () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const world = new World()
      for (const next of script) world.run(next)
      world.settle()
    }),
    { numRuns: 120 },
  )
})

test('the same events have the same effects on a group of consumers', () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const one = new World()
      const other = new World()
      for (const next of script) {
        one.run(next)
        other.run(next)
      }
      assert.deepEqual(one.group.effects, other.group.effects)
    }),
    { numRuns: 30 },
  )
})
