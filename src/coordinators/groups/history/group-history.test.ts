// Happenings in, rebalances with their causes out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupHistory, happeningsMax, rebalancesMax } from './group-history.ts'
import type { Happening, NotedMember } from './group-note.ts'
import { causesMax, changesMax, type Rebalance } from './rebalance.ts'

const memberOf = (name: string): NotedMember => ({
  memberId: `${name}-0000`,
  groupInstanceId: null,
  clientId: name,
  clientHost: '/10.0.0.5',
})
const ann = memberOf('ann')
const bob = memberOf('bob')

const joined = (member: NotedMember): Happening => ({ kind: 'memberJoined', member })
const left = (member: NotedMember): Happening => ({ kind: 'memberLeft', member, reason: null })
const started: Happening = { kind: 'rebalanceStarted', reason: null }
const asked = (member: NotedMember, reason: string | null): Happening => ({ kind: 'rebalanceStarted', reason, member })
const ended = (epoch: number, members: number, durationMs = 0): Happening => ({
  kind: 'rebalanceEnded',
  epoch,
  members,
  protocol: 'range',
  durationMs,
})
const changed = (member: NotedMember, gained: string[], lost: string[] = []): Happening => ({
  kind: 'assignmentChanged',
  member,
  gained,
  lost,
})

/** Each happening with the second it happens in. */
type Told = readonly (readonly [second: number, what: Happening])[]

function historyOf(told: Told, members: number | null = 0): GroupHistory {
  const history = new GroupHistory(members)
  for (const [second, what] of told) history.add(what, second * 1000)
  return history
}

const causesOf = (told: Told): (readonly string[])[] => historyOf(told).rebalances.map(({ causes }) => causes)

test('a rebalance has its cause, its course, and who gained and lost what', () => {
  const { rebalances } = historyOf([
    [1, joined(ann)],
    [1, started],
    [2, changed(ann, ['orders-0', 'orders-1'])],
    [2, ended(1, 1, 1000)],
    [60, joined(bob)],
    [60, started],
    [63, changed(ann, [], ['orders-1'])],
    [63, changed(bob, ['orders-1'])],
    [63, ended(2, 2, 3000)],
  ])
  const second: Rebalance = {
    startedAt: 60_000,
    outcome: 'done',
    durationMs: 3000,
    epoch: 2,
    protocol: 'range',
    membersBefore: 1,
    membersAfter: 2,
    causes: ['bob (10.0.0.5, 0000) joined'],
    moreCauses: 0,
    changes: [
      { member: ann, gained: { names: [], more: 0 }, lost: { names: ['orders-1'], more: 0 } },
      { member: bob, gained: { names: ['orders-1'], more: 0 }, lost: { names: [], more: 0 } },
    ],
    moreChanges: 0,
  }
  assert.equal(rebalances.length, 2)
  assert.deepEqual(rebalances[1], second)
  assert.deepEqual([rebalances[0]!.membersBefore, rebalances[0]!.membersAfter], [0, 1])
})

const causes: readonly { readonly name: string; readonly told: Told; readonly words: readonly string[][] }[] = [
  {
    name: 'what is told just before a rebalance caused it, and what comes while it lasts prolonged it',
    told: [
      [9, left(ann)],
      [9, started],
      [11, joined(bob)],
      [12, ended(3, 1)],
    ],
    words: [['ann (10.0.0.5, 0000) left', 'bob (10.0.0.5, 0000) joined']],
  },
  {
    name: 'what caused no rebalance at the time did not cause a later one',
    told: [
      [1, { kind: 'memberReplaced', member: ann, oldMemberId: 'ann-1111' }],
      [600, left(bob)],
      [600, started],
      [601, ended(4, 1)],
    ],
    words: [['bob (10.0.0.5, 0000) left']],
  },
  {
    name: 'who asked for it is the cause where nothing else is',
    told: [
      [1, asked(ann, 'enforced by the user')],
      [2, ended(4, 1)],
    ],
    words: [['ann (10.0.0.5, 0000) asked for it: enforced by the user']],
  },
  {
    name: 'a member that joins asks as well, and that is told once',
    told: [
      [1, joined(ann)],
      [1, asked(ann, 'I am new')],
      [2, ended(4, 1)],
    ],
    words: [['ann (10.0.0.5, 0000) joined']],
  },
  {
    name: 'a rebalance that begins anew is one, with a reason more',
    told: [
      [1, left(ann)],
      [1, started],
      [5, asked(bob, 'topics changed')],
      [6, ended(4, 1)],
    ],
    words: [['ann (10.0.0.5, 0000) left', 'bob (10.0.0.5, 0000) asked for it: topics changed']],
  },
  {
    name: 'a rebalance nobody gave a reason for has none',
    told: [
      [1, started],
      [2, ended(4, 1)],
    ],
    words: [[]],
  },
  {
    name: 'topics that grow are a cause',
    told: [
      [1, { kind: 'topicsChanged', topics: ['orders'], counts: [{ topic: 'orders', before: 6, after: 12 }] }],
      [1, started],
      [2, ended(4, 1)],
    ],
    words: [['topic orders grew to 12 partitions']],
  },
  {
    name: 'offsets that are set are no cause',
    told: [
      [1, { kind: 'offsetsSet', clientId: 'tool', partitions: 1 }],
      [1, started],
      [2, ended(4, 1)],
    ],
    words: [[]],
  },
]
for (const { name, told, words } of causes) test(name, () => assert.deepEqual(causesOf(told), words))

test('a rebalance under way is told as such', () => {
  const [rebalance] = historyOf([
    [1, joined(ann)],
    [1, started],
  ]).rebalances
  assert.deepEqual([rebalance!.outcome, rebalance!.durationMs, rebalance!.membersAfter], ['running', null, null])
})

test('a coordinator that begins knows neither how many members there were nor how the rebalance went on', () => {
  const { rebalances, happenings } = historyOf([
    [1, joined(ann)],
    [1, started],
    [9, { kind: 'coordinatorStarted', state: 'Stable' }],
    [20, left(bob)],
    [20, started],
    [21, ended(5, 3, 1000)],
  ])
  assert.deepEqual(
    rebalances.map(({ outcome, membersBefore }) => [outcome, membersBefore]),
    [
      ['interrupted', 0],
      ['done', null],
    ],
  )
  assert.match(happenings[2]!.words, /^this broker became the coordinator/)
})

test('a coordinator that begins with an empty group knows that nobody is in it', () => {
  const { rebalances } = historyOf(
    [
      [1, { kind: 'coordinatorStarted', state: 'Empty' }],
      [2, joined(ann)],
      [2, started],
      [3, ended(1, 1)],
    ],
    null,
  )
  assert.equal(rebalances[0]!.membersBefore, 0)
})

test('of a rebalance that began elsewhere the end is told, and when it must have begun', () => {
  const [rebalance] = historyOf([[100, ended(7, 3, 4000)]], null).rebalances
  assert.deepEqual([rebalance!.startedAt, rebalance!.epoch, rebalance!.causes], [96_000, 7, []])
})

test('the same commits of a client that is no member are one happening, until something else happens', () => {
  const set: Happening = { kind: 'offsetsSet', clientId: 'tool', partitions: 2 }
  const { happenings } = historyOf([
    [1, set],
    [6, set],
    [11, set],
    [12, joined(ann)],
    [16, set],
  ])
  assert.deepEqual(
    happenings.map(({ kind, times, at, lastAt }) => [kind, times, at, lastAt]),
    [
      ['offsetsSet', 3, 1000, 11_000],
      ['memberJoined', 1, 12_000, 12_000],
      ['offsetsSet', 1, 16_000, 16_000],
    ],
  )
})

test('the newest happenings and rebalances are kept, and the oldest go', () => {
  const history = new GroupHistory(0)
  for (let epoch = 1; epoch <= 300; epoch++) {
    history.add(joined(memberOf(`m${epoch}`)), epoch * 1000)
    history.add(started, epoch * 1000)
    history.add(ended(epoch, 1), epoch * 1000)
  }
  assert.equal(history.happenings.length, happeningsMax)
  assert.ok(history.rebalances.length <= rebalancesMax)
  assert.equal(history.rebalances.at(-1)!.epoch, 300)
  const before = history.weight
  for (let epoch = 301; epoch <= 600; epoch++) {
    history.add(joined(memberOf(`m${epoch}`)), epoch * 1000)
    history.add(started, epoch * 1000)
    history.add(ended(epoch, 1), epoch * 1000)
  }
  assert.equal(history.weight, before)
})

test('of a rebalance of many members a bounded number is told by name, and the others are counted', () => {
  const history = new GroupHistory(0)
  history.add(started, 0)
  const many = Array.from({ length: 30 }, (_, partition) => `orders-${partition}`)
  for (let i = 0; i < 500; i++) {
    history.add(joined(memberOf(`m${i}`)), 0)
    history.add(changed(memberOf(`m${i}`), many), 0)
  }
  history.add(ended(1, 500), 1000)
  const [{ causes: told, moreCauses, changes, moreChanges }] = history.rebalances as [Rebalance]
  assert.deepEqual([told.length, moreCauses], [causesMax, 500 - causesMax])
  assert.deepEqual([changes.length, moreChanges], [changesMax, 500 - changesMax])
  assert.deepEqual([changes[0]!.gained.names.length, changes[0]!.gained.more], [20, 10])
})
