import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MemberState } from './consumer-group-record.ts'
import { type ConsumerMember, newMember } from './consumer-member.ts'
import { reconcile } from './reconciliation.ts'

type Epochs = Readonly<Record<string, Readonly<Record<number, number>>>>
type Sets = Readonly<Record<string, readonly number[]>>

const partitions = (of: Epochs) =>
  new Map(
    Object.entries(of).map(([topic, epochs]) => [
      topic,
      new Map(Object.entries(epochs).map(([p, e]) => [Number(p), e])),
    ]),
  )
const plain = (of: ConsumerMember['assignedPartitions']): Epochs =>
  Object.fromEntries(Array.from(of, ([topic, epochs]) => [topic, Object.fromEntries(epochs)]))

interface Case {
  readonly name: string
  readonly state?: MemberState
  readonly assigned?: Epochs
  readonly pending?: Epochs
  readonly targetEpoch?: number
  readonly target?: Sets
  readonly reads?: readonly string[]
  readonly changed?: boolean
  readonly owned?: Sets | null
  /** Partitions that some member has. */
  readonly taken?: Sets
  readonly to:
    | 'the same'
    | 'fenced'
    | { state: MemberState; epoch: number; previous?: number; assigned: Epochs; pending?: Epochs }
}

// The member is in epoch 10, and was in epoch 9 before; it reads a and b.
const cases: readonly Case[] = [
  {
    name: 'stable at the target: nothing',
    targetEpoch: 10,
    assigned: { a: { 1: 10 } },
    target: { a: [1] },
    to: 'the same',
  },
  {
    name: 'stable, a newer target that gives it the same: its epoch only',
    assigned: { a: { 1: 5 } },
    target: { a: [1] },
    to: { state: 'stable', epoch: 11, assigned: { a: { 1: 5 } } },
  },
  {
    name: 'stable, gets what is free at once, as of the target epoch',
    assigned: { a: { 1: 5 } },
    target: { a: [1, 2], b: [0] },
    to: { state: 'stable', epoch: 11, assigned: { a: { 1: 5, 2: 11 }, b: { 0: 11 } } },
  },
  {
    name: 'stable, has something to give up: keeps its epoch, and what stays',
    assigned: { a: { 1: 5, 2: 6 } },
    target: { a: [2, 3] },
    to: { state: 'unrevoked', epoch: 10, assigned: { a: { 2: 6 } }, pending: { a: { 1: 5 } } },
  },
  {
    name: 'stable, has already given up what it must: straight to the target',
    assigned: { a: { 1: 5, 2: 6 } },
    target: { a: [2, 3] },
    owned: { a: [2] },
    to: { state: 'stable', epoch: 11, assigned: { a: { 2: 6, 3: 11 } } },
  },
  {
    name: 'stable, what it is to get is with others: waits in the new epoch',
    assigned: { a: { 1: 5 } },
    target: { a: [1, 2] },
    taken: { a: [2] },
    to: { state: 'unreleased', epoch: 11, assigned: { a: { 1: 5 } } },
  },
  {
    name: 'stable, gets what is free and waits for the rest',
    target: { a: [1, 2] },
    taken: { a: [2] },
    to: { state: 'unreleased', epoch: 11, assigned: { a: { 1: 11 } } },
  },
  {
    name: 'stable at the target, reads less since now: gives up what it no longer reads',
    targetEpoch: 10,
    assigned: { a: { 1: 5 }, b: { 0: 5 } },
    target: { a: [1], b: [0] },
    reads: ['b'],
    changed: true,
    to: { state: 'unrevoked', epoch: 10, assigned: { b: { 0: 5 } }, pending: { a: { 1: 5 } } },
  },
  {
    name: 'stable at the target, reads less, and has given it up already: stays stable without it',
    targetEpoch: 10,
    assigned: { a: { 1: 5 }, b: { 0: 5 } },
    target: { a: [1], b: [0] },
    reads: ['b'],
    changed: true,
    owned: { b: [0] },
    to: { state: 'stable', epoch: 10, assigned: { b: { 0: 5 } } },
  },
  {
    name: 'stable at the target, reads more: nothing before the next target',
    targetEpoch: 10,
    assigned: { a: { 1: 5 } },
    target: { a: [1] },
    changed: true,
    to: 'the same',
  },
  {
    name: 'a target of what it no longer reads gives it nothing',
    assigned: { a: { 1: 5 } },
    target: { a: [1], b: [0] },
    reads: ['a'],
    to: { state: 'stable', epoch: 11, assigned: { a: { 1: 5 } } },
  },
  {
    name: 'unrevoked, still owns one: stays',
    state: 'unrevoked',
    assigned: { a: { 2: 6 } },
    pending: { a: { 1: 5 } },
    target: { a: [2, 3] },
    owned: { a: [1, 2] },
    to: 'the same',
  },
  {
    name: 'unrevoked, does not say what it owns: stays',
    state: 'unrevoked',
    assigned: { a: { 2: 6 } },
    pending: { a: { 1: 5 } },
    target: { a: [2, 3] },
    to: 'the same',
  },
  {
    name: 'unrevoked, has given all up: the target',
    state: 'unrevoked',
    assigned: { a: { 2: 6 } },
    pending: { a: { 1: 5 } },
    target: { a: [2, 3] },
    owned: { a: [2] },
    to: { state: 'stable', epoch: 11, assigned: { a: { 2: 6, 3: 11 } } },
  },
  {
    name: 'unrevoked, has given all up, and the newest target wants more of it: revokes again in its epoch',
    state: 'unrevoked',
    assigned: { a: { 2: 6, 3: 6 } },
    pending: { a: { 1: 5 } },
    targetEpoch: 12,
    target: { a: [2] },
    owned: { a: [2, 3] },
    to: { state: 'unrevoked', epoch: 10, assigned: { a: { 2: 6 } }, pending: { a: { 3: 6 } } },
  },
  {
    name: 'unrevoked, and the newest target gives back what it has just given up: gets it, for it is no other member has it',
    state: 'unrevoked',
    assigned: {},
    pending: { a: { 1: 5 } },
    target: { a: [1] },
    owned: {},
    taken: { a: [1] },
    to: { state: 'stable', epoch: 11, assigned: { a: { 1: 11 } } },
  },
  {
    name: 'unrevoked, still owns one, and reads less since now: has that to give up too',
    state: 'unrevoked',
    assigned: { a: { 2: 6 }, b: { 0: 7 } },
    pending: { a: { 1: 5 } },
    target: { a: [2] },
    reads: ['a'],
    changed: true,
    owned: { a: [1, 2], b: [0] },
    to: { state: 'unrevoked', epoch: 10, assigned: { a: { 2: 6 } }, pending: { a: { 1: 5 }, b: { 0: 7 } } },
  },
  {
    name: 'unreleased, still taken: waits',
    state: 'unreleased',
    targetEpoch: 10,
    assigned: { a: { 1: 10 } },
    target: { a: [1, 2] },
    taken: { a: [1, 2] },
    to: { state: 'unreleased', epoch: 10, assigned: { a: { 1: 10 } } },
  },
  {
    name: 'unreleased, free by now: gets it',
    state: 'unreleased',
    targetEpoch: 10,
    assigned: { a: { 1: 10 } },
    target: { a: [1, 2] },
    taken: { a: [1] },
    to: { state: 'stable', epoch: 10, assigned: { a: { 1: 10, 2: 10 } } },
  },
  {
    name: 'unreleased, a newer target takes something away: revokes first',
    state: 'unreleased',
    assigned: { a: { 1: 10 } },
    target: { a: [2] },
    taken: { a: [1, 2] },
    to: { state: 'unrevoked', epoch: 10, assigned: {}, pending: { a: { 1: 10 } } },
  },
  {
    name: 'unknown, owns something or does not say: fenced',
    state: 'unknown',
    target: { a: [1] },
    owned: null,
    to: 'fenced',
  },
  { name: 'unknown, owns something: fenced', state: 'unknown', target: { a: [1] }, owned: { a: [1] }, to: 'fenced' },
  {
    name: 'unknown, owns nothing: from the start',
    state: 'unknown',
    target: { a: [1] },
    owned: {},
    to: { state: 'stable', epoch: 11, assigned: { a: { 1: 11 } } },
  },
]

describe('a member on its way to the target', () => {
  for (const each of cases) {
    test(each.name, () => {
      const member: ConsumerMember = {
        ...newMember('m'),
        memberEpoch: 10,
        previousMemberEpoch: 9,
        state: each.state ?? 'stable',
        assignedPartitions: partitions(each.assigned ?? {}),
        partitionsPendingRevocation: partitions(each.pending ?? {}),
      }
      const { owned = null, taken = {} } = each
      const result = reconcile(member, {
        targetEpoch: each.targetEpoch ?? 11,
        target: new Map(Object.entries(each.target ?? {})),
        readTopicIds: new Set(each.reads ?? ['a', 'b']),
        subscriptionChanged: each.changed ?? false,
        owned: owned && Object.entries(owned).map(([topicId, listed]) => ({ topicId, partitions: listed })),
        isOwned: (topicId, partition) => taken[topicId]?.includes(partition) ?? false,
      })
      if (each.to === 'fenced') return assert.equal(result, null)
      if (each.to === 'the same') return assert.equal(result, member)
      const { state, epoch, previous = 10, assigned, pending = {} } = each.to
      assert.ok(result !== null)
      assert.equal(result.state, state)
      assert.deepEqual([result.memberEpoch, result.previousMemberEpoch], [epoch, previous])
      assert.deepEqual(plain(result.assignedPartitions), assigned)
      assert.deepEqual(plain(result.partitionsPendingRevocation), pending)
    })
  }
})
