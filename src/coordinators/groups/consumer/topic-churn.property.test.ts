// Members that read topics by name and by expression, while topics are created, deleted and created again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { type Answer, ConsumerGroupTester, type Partitions } from './consumer-group-tester.sim.ts'

const topics = ['t1', 't2', 't3'] as const
const slots = 4
const sessionMs = 45_000
const rebalanceMs = 30_000

/** A client with its own idea of what it owns; answers to it may be lost. */
class Client {
  readonly slot: number
  readonly instance: string | null
  memberId: string
  reads: { topics: readonly string[] | null; regex: string | null }
  epoch = 0
  owned: Partitions = {}

  constructor(slot: number, memberId: string, reads: Client['reads'], isStatic: boolean) {
    this.slot = slot
    this.instance = isStatic ? `i${slot}` : null
    this.memberId = memberId
    this.reads = reads
  }

  beat(tester: ConsumerGroupTester, lost: boolean): Answer {
    const { memberId: member, instance, epoch, owned } = this
    // What it reads goes with every heartbeat, for the answer to the first with something new may be lost; and all of it, for what a
    // static member leaves out is what it read when it was last there.
    const reads = { topics: this.reads.topics ?? [], regex: this.reads.regex ?? '' }
    const answer = tester.beat({ member, instance, epoch, owned, ...reads, rebalanceTimeoutMs: rebalanceMs })
    if (lost) return answer
    if (answer.errorCode !== ErrorCode.NONE) {
      this.epoch = 0
      this.owned = {}
      return answer
    }
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) this.owned = answer.assignment
    return answer
  }
}

class Run {
  readonly tester = new ConsumerGroupTester()
  readonly clients = new Map<number, Client>()
  #members = 0

  constructor() {
    for (const topic of topics) this.tester.topic(topic, 2)
  }

  join(slot: number, reads: Client['reads'], isStatic: boolean): void {
    if (this.clients.has(slot)) return
    const client = new Client(slot, `m${this.#members++}`, reads, isStatic)
    this.clients.set(slot, client)
    client.beat(this.tester, false)
  }

  leave(slot: number, forNow: boolean): void {
    const client = this.clients.get(slot)
    if (client === undefined) return
    const { memberId: member, instance } = client
    this.tester.beat({ member, instance, epoch: forNow && instance !== null ? -2 : -1 })
    this.clients.delete(slot)
  }

  /** What somebody owns who is in the group, is with nobody else: neither as the group sees it nor as the members do. */
  check(): void {
    const owners = new Map<string, string>()
    for (const { memberId, assignment } of this.tester.describeConsumers().members) {
      for (const { topicId, partitions } of assignment.topicPartitions) {
        for (const partition of partitions) {
          const name = `${topicId}-${partition}`
          assert.equal(owners.get(name), undefined, `${name} is with ${owners.get(name)} and ${memberId}`)
          owners.set(name, memberId)
        }
      }
    }
    const holdings: Readonly<Record<string, { readonly has: Partitions }>> = this.tester.holdings
    for (const { memberId, owned } of this.clients.values()) {
      const member = holdings[memberId]
      if (member === undefined) continue // it was removed, and does not know yet
      for (const [topic, partitions] of Object.entries(owned)) {
        if (this.tester.topics.byName(topic) === null) continue
        const missing: readonly number[] = partitions.filter(
          (partition) => !(member.has[topic] ?? []).includes(partition),
        )
        assert.deepEqual(missing, [], `${memberId} owns what the group believes it has given up`)
      }
    }
  }

  /** Everybody is heard until nothing moves. */
  settle(): void {
    for (let round = 0; round < 12; round++) {
      this.tester.advance(1_000)
      for (const client of this.clients.values()) client.beat(this.tester, false)
      this.check()
    }
    this.tester.advance(sessionMs - 30_000)
    for (const client of this.clients.values()) client.beat(this.tester, false)
    this.tester.advance(sessionMs - 1_000)
    for (let round = 0; round < 12; round++) {
      this.tester.advance(100)
      for (const client of this.clients.values()) client.beat(this.tester, false)
      this.check()
    }
  }
}

const reads = fc.oneof(
  fc.record({ topics: fc.subarray([...topics]), regex: fc.constant(null) }),
  fc.record({ topics: fc.constant(null), regex: fc.constantFrom('t.*', 't1|t2', 'nothing') }),
)
const slot = fc.nat({ max: slots - 1 })
const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('join' as const), slot, reads, isStatic: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('beat' as const), slot, lost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), slot, forNow: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), slot }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reads' as const), slot, topics: fc.subarray([...topics]) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 9_000, 20_000, 46_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grow' as const), topic: fc.constantFrom(...topics) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), topic: fc.constantFrom(...topics) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never

function perform(run: Run, each: Action): void {
  const { tester, clients } = run
  switch (each.kind) {
    case 'join':
      return run.join(each.slot, each.reads, each.isStatic)
    case 'beat':
      return void clients.get(each.slot)?.beat(tester, each.lost)
    case 'leave':
      return run.leave(each.slot, each.forNow)
    case 'crash':
      return void clients.delete(each.slot)
    case 'reads': {
      const client = clients.get(each.slot)
      if (client !== undefined) client.reads = { topics: each.topics, regex: '' }
      return
    }
    case 'wait':
      return tester.advance(each.ms)
    case 'grow':
      return tester.topic(each.topic, (tester.topics.byName(each.topic)?.partitionCount ?? 1) + 1)
    case 'delete': {
      // A topic of that name that is created later is another one.
      const id = tester.topicId(each.topic)
      for (const client of clients.values()) {
        const { [each.topic]: gone, ...rest } = client.owned
        client.owned = gone === undefined ? rest : { ...rest, [id]: gone }
      }
      return tester.deleteTopic(each.topic)
    }
    case 'restart':
      return tester.restart()
  }
}

test('whatever becomes of topics, no partition has two owners, and in the end every partition that is read has one', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
      const run = new Run()
      for (const each of actions) {
        perform(run, each)
        run.check()
      }
      run.settle()
      if (run.clients.size === 0) return
      assert.equal(run.tester.groupState, 'Stable')
      const { holdings } = run.tester
      assert.equal(Object.keys(holdings).length, run.clients.size)
      for (const { memberId, owned } of run.clients.values()) {
        assert.deepEqual(sorted(owned), sorted(holdings[memberId]!.target))
      }
      for (const topic of topics) {
        const readers = [...run.clients.values()].filter(({ reads: { topics: names, regex } }) => {
          return names?.includes(topic) === true || (regex !== null && new RegExp(`^(${regex})$`).test(topic))
        })
        if (readers.length === 0 || run.tester.topics.byName(topic) === null) continue
        const all = readers.flatMap(({ owned }) => owned[topic] ?? []).toSorted((one, other) => one - other)
        const count = run.tester.topics.byName(topic)!.partitionCount
        assert.deepEqual(all, [...Array(count).keys()], topic)
      }
    }),
    { numRuns: 200 },
  )
})

function sorted(partitions: Partitions): [string, readonly number[]][] {
  return Object.entries(partitions)
    .filter(([, list]) => list.length > 0)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
}
