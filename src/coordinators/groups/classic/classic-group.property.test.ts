// Groups under members that come, go, crash and dawdle in any order: what must hold whatever happens.

import assert from 'node:assert/strict'
import test from 'node:test'

import * as fc from 'fast-check'

import type { JoinGroupResponse } from '../../../protocol/apis/join-group.ts'
import type { SyncGroupResponse } from '../../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { ReplyTo } from '../../effect.ts'
import { GroupTester } from '../group-tester.sim.ts'

const { NONE, MEMBER_ID_REQUIRED, REBALANCE_IN_PROGRESS } = ErrorCode

/** What one client does next. `who`: one of a few clients, each with the id it was last given. */
type Act =
  | { readonly act: 'join'; readonly who: number; readonly protocols: 0 | 1 | 2; readonly version: 3 | 9 }
  /** What a well-behaved client would do now. */
  | { readonly act: 'goOn'; readonly who: number }
  | { readonly act: 'sync' | 'heartbeat' | 'leave' | 'disconnect' | 'forget'; readonly who: number }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'restart' }

const offers = [
  [['range', '1']],
  [
    ['range', '2'],
    ['sticky', ''],
  ],
  [
    ['sticky', ''],
    ['range', '1'],
  ],
] as const
const clients = 5
/** The last two are static members. */
const staticMembers = 2
const groupSizeMax = 4
const instanceOf = (who: number) => (who < clients - staticMembers ? null : `instance-${who}`)

const who = fc.nat({ max: clients - 1 })
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ act: fc.constant('goOn' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('join' as const),
      who,
      protocols: fc.constantFrom(0 as const, 0 as const, 1 as const, 2 as const),
      version: fc.constantFrom(3 as const, 9 as const, 9 as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('sync' as const), who }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('heartbeat' as const, 'leave' as const, 'forget' as const), who }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('disconnect' as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 100, 1_000, 3_000, 5_000, 12_000),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ act: 'restart' as const }) },
)

const scripts = fc.array(acts, { minLength: 40, maxLength: 120 })

class World {
  readonly group = new GroupTester({
    removeMembersOnDisconnect: true,
    maxSize: groupSizeMax,
    newMemberJoinTimeoutMs: 30_000,
  })
  readonly #ids = Array.from({ length: clients }, () => '')
  readonly #generations = Array.from({ length: clients }, () => -1)
  /** Requests since the last restart, by client. */
  #joins: { readonly who: number; readonly replyTo: ReplyTo<JoinGroupResponse> }[] = []
  #syncs: { readonly who: number; readonly generation: number; readonly replyTo: ReplyTo<SyncGroupResponse> }[] = []
  readonly #leaders = new Map<number, string>()
  readonly #membersOf = new Map<number, ReadonlySet<string>>()
  readonly #assignedTo = new Map<string, string>()
  #highest = 0

  run(act: Act): void {
    const { group } = this
    switch (act.act) {
      case 'goOn':
        this.#goOn(act.who)
        break
      case 'join': {
        const memberId = this.#ids[act.who]!
        const instanceId = instanceOf(act.who)
        const options = { instanceId, protocols: offers[act.protocols], version: act.version, connectionId: act.who }
        const replyTo = group.join({ ...options, memberId, rebalanceTimeoutMs: 15_000 })
        this.#joins.push({ who: act.who, replyTo })
        break
      }
      case 'sync': {
        const memberId = this.#ids[act.who]!
        const generation = this.#generations[act.who]!
        // A leader gives every member a partition of its own.
        const members = [...(this.#membersOf.get(generation) ?? [])]
        const isLeader = this.#leaders.get(generation) === memberId
        const assignments = isLeader ? Object.fromEntries(members.map((id, index) => [id, `partition-${index}`])) : {}
        const replyTo = group.sync(memberId, generation, assignments, { connectionId: act.who })
        this.#syncs.push({ who: act.who, generation, replyTo })
        break
      }
      case 'heartbeat':
        group.heartbeat(this.#ids[act.who]!, this.#generations[act.who]!, instanceOf(act.who), act.who)
        break
      case 'leave':
        group.leave({ memberId: this.#ids[act.who]! })
        break
      case 'disconnect':
        group.step({ kind: 'connectionClosed', connectionId: act.who })
        break
      case 'forget':
        this.#ids[act.who] = ''
        break
      case 'wait':
        group.advance(act.ms)
        break
      case 'restart':
        this.#restart()
    }
    this.check()
  }

  #goOn(client: number): void {
    const latest = this.#joins.findLast((join) => join.who === client)
    const joined = latest === undefined ? undefined : this.group.answer(latest.replyTo)
    if (latest !== undefined && joined === undefined) return // waits
    const synced = this.#syncs.findLast((sync) => sync.who === client)
    const generation = this.#generations[client]!
    if (joined?.errorCode === NONE && synced?.generation !== generation) return this.run({ act: 'sync', who: client })
    const memberId = this.#ids[client]!
    const alive = memberId !== '' && generation >= 0
    const code = alive ? this.group.heartbeat(memberId, generation, instanceOf(client), client) : REBALANCE_IN_PROGRESS
    if (code === NONE) return
    if (code !== REBALANCE_IN_PROGRESS) this.#ids[client] = ''
    this.run({ act: 'join', who: client, protocols: 0, version: 9 })
  }

  /** Time enough for every timeout: nobody may still be waiting. */
  settle(): void {
    this.group.advance(300_000)
    this.check()
    for (const { replyTo } of this.#joins)
      assert.notEqual(this.group.answer(replyTo), undefined, 'a join waits for ever')
    for (const { replyTo } of this.#syncs)
      assert.notEqual(this.group.answer(replyTo), undefined, 'a sync waits for ever')
    const { groupState, members } = this.group.describe()
    assert.equal(members.length, 0, 'silent members are out')
    assert.ok(groupState === 'Empty' || groupState === 'Dead')
  }

  check(): void {
    for (const { who: client, replyTo } of this.#joins) this.#checkJoin(client, this.group.answer(replyTo))
    for (const { who: client, generation, replyTo } of this.#syncs) {
      const answer = this.group.answer(replyTo)
      if (answer?.errorCode !== NONE || answer.assignment.length === 0) continue
      const key = `${generation}/${Buffer.from(answer.assignment).toString()}`
      // A static member that came back has what it had under its old id.
      const owner = instanceOf(client) ?? `client-${client}`
      assert.equal(this.#assignedTo.get(key) ?? owner, owner, 'two members of a generation have the same partition')
      this.#assignedTo.set(key, owner)
    }
    // While members rejoin only those that have count; static members that have not stay. So it is in Kafka (acceptJoiningMember).
    const { groupState, members } = this.group.describe()
    const sizeMax = (groupState === 'PreparingRebalance' ? 2 * groupSizeMax : groupSizeMax) + staticMembers
    assert.ok(members.length <= sizeMax, `${members.length} members in state ${groupState}`)
  }

  #checkJoin(client: number, answer: JoinGroupResponse | undefined): void {
    if (answer === undefined) return
    if (answer.errorCode === MEMBER_ID_REQUIRED) this.#ids[client] = answer.memberId
    if (answer.errorCode !== NONE) return
    const { memberId, generationId, leader, members } = answer
    this.#ids[client] = memberId
    this.#generations[client] = Math.max(this.#generations[client]!, generationId)
    this.#highest = Math.max(this.#highest, generationId)
    if (members.length === 0) return
    const ids = new Set(members.map((each) => each.memberId))
    assert.ok(ids.has(leader), 'the leader is a member')
    assert.equal(memberId, leader, 'only the leader hears who the members are')
    assert.equal(ids.size, members.length)
    this.#leaders.set(generationId, leader)
    this.#membersOf.set(generationId, ids)
  }

  #restart(): void {
    const { group } = this
    const before = group.describe()
    group.restart()
    const after = group.describe()
    if (before.groupState === 'Stable' || before.groupState === 'Empty') {
      if (before.groupState === 'Empty') assert.ok(after.groupState === 'Empty' || after.groupState === 'Dead')
      else assert.deepEqual(after, before, 'what was stable is as it was')
    }
    this.#joins = []
    this.#syncs = []
  }
}

test('whatever members do, requests are answered once, leaders are members and no partition has two owners', () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const world = new World()
      for (const act of script) world.run(act)
      world.settle()
    }),
    { numRuns: 300 },
  )
})

test('the same events have the same effects', () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const one = new World()
      const other = new World()
      for (const act of script) {
        one.run(act)
        other.run(act)
      }
      assert.deepEqual(one.group.effects, other.group.effects)
    }),
    { numRuns: 50 },
  )
})

test('generations in the log only grow', () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const world = new World()
      for (const act of script) world.run(act)
      let last = -1
      for (const record of world.group.records) {
        if (record.kind !== 'generation') continue
        assert.ok(record.value.generation >= last)
        last = record.value.generation
        const ids = record.value.members.map(({ memberId }) => memberId)
        assert.equal(new Set(ids).size, ids.length)
        if (ids.length > 0) assert.ok(ids.includes(record.value.leader!))
      }
    }),
    { numRuns: 100 },
  )
})
